"""Undo of deletions: on the Quota page, on a job's page, on the page of an id."""

import json

import pytest

from applications.models import FREE_USER_LIMIT, Role
from tests.console.pages import address, messages, sign_in
from tests.factories import DAY, NOON, make_environment, make_user, make_users, staff_actor
from users import deletion
from users.models import AppUser, DeletedUser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon", "member")]

HTMX = {"HX-Request": "true"}
AT = {"by": staff_actor(), "now": NOON}


def deleted(environment, *user_ids, **at):
    for user_id in user_ids:
        make_user(environment=environment, user_id=user_id)
    deletion.delete(environment=environment, user_ids=user_ids, **AT | at)
    return [DeletedUser.objects.get(user_id=user_id).pk for user_id in user_ids]


def undo(client, environment, key):
    answer = client.post(address("quota:undo", environment, key), headers=HTMX)
    return json.loads(answer["HX-Trigger"])["toast"]


def done_job(environment, count):
    users = make_users(environment=environment, count=count)
    job = deletion.preview(environment=environment, candidates=[(u, "") for u in users], **AT)
    deletion.confirm(job=job, **AT)
    while deletion.run_batch(job_id=job.pk, now=NOON):
        pass
    return job, [user.user_id for user in users]


class TestOne:
    def test_is_offered_right_after_the_deletion(self, client, environment):
        make_user(environment=environment, user_id="mia")
        url = address("users:delete", environment, "mia")
        page = client.post(url, {"confirm": "mia"}, follow=True)
        key = DeletedUser.objects.get().pk
        assert address("quota:undo", environment, key) in page.text

    def test_is_offered_on_the_quota_page_and_on_the_users(self, client, environment):
        [key] = deleted(environment, "mia")
        url = address("quota:undo", environment, key)
        for page in ("quota:index", "users:detail"):
            args = ["mia"] if page == "users:detail" else []
            assert url in client.get(address(page, environment, *args)).text
        assert undo(client, environment, key)["message"].startswith("mia is back")
        assert AppUser.objects.get().user_id == "mia"
        assert url not in client.get(address("quota:index", environment)).text

    def test_says_why_not(self, client, environment):
        [taken, full] = deleted(environment, "mia", "max")
        make_users(environment=environment, count=FREE_USER_LIMIT - 1)
        make_user(environment=environment, user_id="mia")
        quota = client.get(address("quota:index", environment)).text
        assert "no undo: the id is registered again" in quota
        assert "no undo: no place is free" in quota
        toast = undo(client, environment, full)
        assert toast["message"] == "max was not brought back: no place is free"
        assert toast["tone"] == "error"
        assert (
            "Not now: no place is free"
            in client.get(address("users:detail", environment, "max")).text
        )
        assert "registered again" in undo(client, environment, taken)["message"]

    def test_twice_or_after_the_purge_is_said(self, client, environment):
        [key] = deleted(environment, "mia")
        undo(client, environment, key)
        again = "mia was not brought back: brought back already"
        assert undo(client, environment, key)["message"] == again
        assert "nothing is kept" in undo(client, environment, 0)["message"]

    def test_is_over_after_a_day(self, client, environment):
        [key] = deleted(environment, "mia", now=NOON - DAY)
        url = address("quota:undo", environment, key)
        for page in ("quota:index", "users:detail"):
            args = ["mia"] if page == "users:detail" else []
            assert url not in client.get(address(page, environment, *args)).text

    def test_of_another_environment_is_not_found(self, client, environment):
        [key] = deleted(make_environment(), "mia")
        assert "nothing is kept" in undo(client, environment, key)["message"]
        assert not AppUser.objects.exists()

    def test_is_not_for_viewers(self, client, environment):
        [key] = deleted(environment, "mia")
        sign_in(client, environment, Role.VIEWER)
        assert client.post(address("quota:undo", environment, key)).status_code == 403
        assert "Needs role" in client.get(address("quota:index", environment)).text


class TestJob:
    def test_brings_back_whom_it_can_and_shows_the_result_for_each(self, client, environment):
        job, ids = done_job(environment, 3)
        make_user(environment=environment, user_id=ids[0])
        page = address("quota:job", environment, job.pk)
        assert "2 users can be brought back now" in client.get(page).text
        answer = client.post(address("quota:undo_job", environment, job.pk), follow=True)
        assert messages(answer) == [
            "2 users brought back. Not brought back: 1, because the id is registered again"
        ]
        results = [item.result for item, _ in answer.context["rows"]]
        assert results == ["deleted", "undone", "undone"]
        assert "no undo: the id is registered again" in answer.text
        assert address("quota:undo_job", environment, job.pk) not in answer.text
        again = client.post(address("quota:undo_job", environment, job.pk), follow=True)
        assert messages(again)[0].startswith("Nobody came back")

    def test_gives_the_free_places(self, client, environment):
        job, _ = done_job(environment, 3)
        make_users(environment=environment, count=FREE_USER_LIMIT - 1, prefix="new-")
        answer = client.post(address("quota:undo_job", environment, job.pk), follow=True)
        assert messages(answer) == [
            "1 user brought back. Not brought back: 2, because no place is free"
        ]
        assert AppUser.objects.count() == FREE_USER_LIMIT
