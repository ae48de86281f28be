"""The Quota page and deletion jobs: plan, preview, confirm, progress; and Deactivated."""

import json
import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import AuditEvent, Plan, Role
from applications.vendors import vendors
from tests.console.pages import address, messages, sign_in
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from users import deletion, pins, places, registration
from users.models import AppUser, DeletionJob

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def job(environment):
    users = make_users(environment=environment, count=3)
    return deletion.preview(
        environment=environment,
        candidates=[(user, "A reason") for user in users],
        by=staff_actor(),
        now=NOON,
    )


def get(client, environment, page, *args, headers=None, **query):
    url = address(page, environment, *args)
    return client.get(f"{url}?{urlencode(query)}" if query else url, headers=headers)


def held(response):
    return [place.user.user_id for place in response.context["places"]]


def name_of(environment):
    return f"{environment.application.org_name}/{environment.kind}"


def confirm(client, environment, job, **options):
    return client.post(
        address("quota:confirm", environment, job.pk),
        {"confirm": name_of(environment)},
        **options,
    )


@pytest.mark.usefixtures("member")
class TestQuota:
    def test_shows_who_holds_the_places_and_counts_each_group(self, client, environment):
        make_user(environment=environment, user_id="ci-1", registered_at=NOON - 40 * DAY)
        make_user(environment=environment, user_id="ci-2", registered_at=NOON - 2 * DAY)
        make_user(environment=environment, user_id="mia", last_seen_at=NOON - HOUR)

        response = get(client, environment, "quota:index")

        assert held(response) == ["ci-1", "ci-2", "mia"]
        counts = {
            label: {row["label"]: row["count"] for row in rows if row["count"]}
            for label, rows in response.context["groups"]
        }
        assert counts == {
            "Registered": {"30 to 90 days": 1, "1 to 7 days": 1, "Under a day ago": 1},
            "Last seen": {"Never connected": 2, "Under a day ago": 1},
            "How ids begin": {"ci-…": 2},
            "Registered by": {"Not recorded": 3},
            "Kept": {"Neither": 3},
        }

    def test_finds_common_prefixes(self):
        ids = ["ci-1", "ci-2", "qa17", "qa18-x", "e2e-a", "e2e-b", "tmp_0f", "tmp_1f", "mia", "max"]
        assert [group.word for group in places.by_prefix(ids)] == ["ci-", "e2e-", "qa", "tmp_"]

    def test_filters_and_sorts_by_the_query(self, client, environment):
        make_user(environment=environment, user_id="b", registered_at=NOON - 3 * DAY)
        make_user(environment=environment, user_id="a", registered_at=NOON - 2 * DAY)
        make_user(environment=environment, user_id="seen", last_seen_at=NOON)

        assert held(get(client, environment, "quota:index", seen="never")) == ["b", "a"]
        assert held(get(client, environment, "quota:index", seen="never", sort="id")) == ["a", "b"]
        assert held(get(client, environment, "quota:index", sort="unseen")) == ["b", "a", "seen"]
        assert held(get(client, environment, "quota:index", q="se", sort="what")) == ["seen"]
        assert held(get(client, environment, "quota:index", q="\0")) == []

    def test_plan_selects_users_with_a_reason_each(self, client, environment):
        make_user(environment=environment, user_id="sample-01")
        make_user(environment=environment, user_id="idle", registered_at=NOON - 9 * DAY)
        make_user(environment=environment, user_id="seen", last_seen_at=NOON)

        page = get(client, environment, "quota:index", free=3, headers=HTMX).text

        assert "A sample user" in page
        assert "Never connected in 9 days since registration" in page
        assert "Last seen 0 minutes ago" in page
        assert (
            "1 of these 3 is new, was seen in the last week, is banned or online, or has a lease"
            in page
        )
        assert page.count("checked data-select ") == 3
        assert "Only 3 places" not in page
        selected = re.findall(r'name="user_id" value="([^"]+)"', page)
        assert selected == ["sample-01", "idle", "seen"]

    def test_says_if_fewer_places_are_taken_than_wanted(self, client, environment):
        make_user(environment=environment, user_id="ci-1", registered_at=NOON - 9 * DAY)
        page = get(client, environment, "quota:index", free=3).text
        assert "Only 1 place is taken." in page
        none = get(client, environment, "quota:index", free=3, among="qa-").text
        assert "No registered user has an id that begins with" in none

    def test_plan_names_whom_it_passes_over(self, client, environment):
        for user_id in ("idle", "pinned", "banned"):
            make_user(environment=environment, user_id=user_id, registered_at=NOON - 9 * DAY)
        pins.pin(environment=environment, user_id="pinned", by=staff_actor(), now=NOON)
        make_ban(environment=environment, user_id="banned")

        passed_over = get(client, environment, "quota:index", free=1).context["passed_over"]
        short = get(client, environment, "quota:index", free=3).text
        nobody = get(client, environment, "quota:index", free=1, among="pinned").text

        assert [each.user.user_id for each in passed_over] == ["banned", "pinned"]
        assert "Only 2 users can be in the plan: all others are pinned." in short
        assert "Pinned by grace" in short
        assert "Everybody is pinned" in nobody

    def test_says_what_takes_a_place_and_what_does_not(self, client, environment):
        make_user(environment=environment, user_id="sample-01")
        make_user(environment=environment, user_id="mia", last_seen_at=NOON)
        make_connection(environment=environment, user_id="mia")
        make_ban(environment=environment, user_id="mia")
        make_ban(environment=environment, user_id="stranger")
        make_deactivated(environment=environment)

        response = get(client, environment, "quota:index")

        counted = {label: str(number) for label, number in response.context["counted"]}
        assert counted == {
            "online now": "1",
            "never connected": "1",
            "sample users": "1",
            "banned": "1",
        }
        not_counted = {label: str(number) for label, number in response.context["not_counted"]}
        assert not_counted == {"deactivated ids": "1", "banned ids that are not registered": "1"}

    def test_shows_the_refusal_of_each_vendor_that_is_switched_on(self, client, environment):
        make_user(environment=environment, user_id="idle", registered_at=NOON - 9 * DAY)
        response = get(client, environment, "quota:index")
        shown = response.context["refusals"]
        assert [each.title for each in shown] == [
            vendor.title for vendor in vendors() if vendor.name in environment.application.vendors
        ]
        for each in shown:
            assert json.loads(each.body)["quota"]["candidates"][0]["user_id"] == "idle"

    def test_finds_users_by_who_registered_them(self, client, environment):
        for user_id, by in (("one", staff_actor("ada")), ("two", staff_actor("bob"))):
            registration.register(environment=environment, user_id=user_id, by=by, now=NOON)
        make_user(environment=environment, user_id="old")
        assert held(get(client, environment, "quota:index", maker="bob")) == ["two"]
        assert held(get(client, environment, "quota:index", maker=places.UNKNOWN)) == ["old"]

    @pytest.mark.parametrize("free", ["0", "many", "101", ""])
    def test_refuses_an_invalid_number_of_places(self, client, environment, free):
        response = get(client, environment, "quota:index", free=free)

        assert "free" in response.context["reclaim_form"].errors

    def test_makes_as_many_queries_for_thirty_users_as_for_three(self, client, environment):
        def queries():
            with CaptureQueriesContext(connection) as captured:
                get(client, environment, "quota:index")
            return len(captured)

        make_users(environment=environment, count=3)
        few = queries()
        make_users(environment=environment, count=30, prefix="more-")

        # Session, account, environment, member; pace, count; jobs; rules; deleted; history (2),
        # what counts (2), what does not (2), candidates (3); users.
        assert queries() == few == 19

    def test_shows_only_the_meter_in_production(self, client):
        environment = make_environment(kind="production")
        sign_in(client, environment)
        make_user(environment=environment)

        page = get(client, environment, "quota:index").text

        assert "1 of 100" in page
        assert "cannot be deleted" in page
        assert address("quota:preview", environment) not in page


@pytest.mark.usefixtures("member")
class TestPreview:
    def post(self, client, environment, *user_ids):
        return client.post(
            address("quota:preview", environment), {"user_id": user_ids}, follow=True
        )

    def test_lists_exactly_the_selected_users_who_are_still_registered(self, client, environment):
        for user_id in ("a", "b", "not-selected"):
            make_user(environment=environment, user_id=user_id)

        response = self.post(client, environment, "a", "b", "gone")

        job = DeletionJob.objects.get()
        assert [item.user_id for item in response.context["items"].rows] == ["a", "b"]
        assert response.redirect_chain[-1][0] == address("quota:job", job.environment, job.pk)
        assert AppUser.objects.count() == 3

    def test_computes_the_reasons_itself(self, client, environment):
        make_user(environment=environment, user_id="idle", registered_at=NOON - 9 * DAY)
        make_user(environment=environment, user_id="new", registered_at=NOON)

        self.post(client, environment, "idle", "new")

        reasons = dict(DeletionJob.objects.get().items.values_list("user_id", "reason"))
        assert reasons == {
            "idle": "Never connected in 9 days since registration",
            "new": "Registered 0 minutes ago, has not connected yet",
        }

    def test_says_if_nobody_is_left_to_delete(self, client, environment):
        assert messages(self.post(client, environment)) == [
            "No user is selected. Nothing was changed"
        ]
        assert "None of these users" in messages(self.post(client, environment, "gone"))[0]
        assert self.post(client, environment, "a\0b").status_code == 409
        assert not DeletionJob.objects.exists()

    def test_is_refused_in_production_even_by_a_forged_form(self, client):
        environment = make_environment(kind="production", plan=Plan.PRO)
        sign_in(client, environment)
        make_user(environment=environment, user_id="mia")

        response = self.post(client, environment, "mia")

        assert response.status_code == 409
        assert str(deletion.NotInProduction()) in response.text
        assert AppUser.objects.filter(user_id="mia").exists()
        assert not DeletionJob.objects.exists()


@pytest.mark.usefixtures("member")
class TestJob:
    def test_starts_only_after_the_environments_name_is_typed(self, client, environment, job):
        url = address("quota:confirm", environment, job.pk)

        response = client.post(url, {"confirm": "development"})

        assert response.status_code == 422
        assert f"Type {name_of(environment)}" in response.text
        job.refresh_from_db()
        assert job.state == DeletionJob.State.PREVIEWED

    def test_shows_the_running_job_if_confirmed_twice(self, client, environment, job):
        for _ in range(2):
            response = confirm(client, environment, job, follow=True)

        assert response.redirect_chain == [(address("quota:job", job.environment, job.pk), 302)]
        assert AuditEvent.objects.filter(type="deletion.started").count() == 1

    def test_polls_until_it_is_done(self, client, environment, job):
        confirm(client, environment, job)
        running = client.get(address("quota:job", job.environment, job.pk), headers=HTMX)
        while deletion.run_batch(job_id=job.pk, now=NOON, size=2):
            pass

        done = client.get(address("quota:job", job.environment, job.pk), headers=HTMX)

        assert running.templates[0].name == "console/quota/_job.html"
        assert "every 1s" in running.text
        assert "every 1s" not in done.text
        assert "3 places freed" in done.text
        assert not AppUser.objects.exists()

    def test_shows_the_result_for_each_user(self, client, environment, job):
        confirm(client, environment, job)
        AppUser.objects.filter(user_id="user-00001").delete()
        AppUser.objects.filter(user_id="user-00002").delete()
        make_user(environment=environment, user_id="user-00002")
        while deletion.run_batch(job_id=job.pk, now=NOON):
            pass

        response = client.get(address("quota:job", job.environment, job.pk))

        assert [(word, number) for word, number, _ in response.context["results"]] == [
            ("kept: registered again since the preview", 1),
            ("deleted", 1),
            ("was gone already", 1),
        ]

    def test_can_be_discarded_once_and_then_not_confirmed(self, client, environment, job):
        url = address("quota:cancel", environment, job.pk)

        discarded, again = (client.post(url, follow=True) for _ in range(2))
        confirmed = confirm(client, environment, job, follow=True)

        assert messages(discarded) == ["Preview discarded. Nobody was deleted"]
        assert messages(again) == ["This deletion has already ended"]
        assert "Discarded" in confirmed.text
        assert AppUser.objects.count() == 3

    def test_a_viewer_sees_everything_and_can_do_nothing(self, client, environment, job):
        sign_in(client, environment, Role.VIEWER)

        page = client.get(address("quota:job", job.environment, job.pk))

        assert "Needs role" in page.text
        assert confirm(client, environment, job).status_code == 403

    def test_of_another_environment_is_404(self, client, environment, job):
        other = make_environment(kind="production", application=environment.application)

        assert get(client, other, "quota:job", job.pk).status_code == 404


@pytest.mark.usefixtures("member")
class TestDeactivated:
    def test_lists_newest_first_with_the_call_and_what_was_erased(self, client, environment):
        make_deactivated(environment=environment, user_id="old", deactivated_at=NOON - 9 * DAY)
        make_deactivated(
            environment=environment, user_id="new", erased={"profile": 1, "blocklist entries": 3}
        )
        make_deactivated(
            environment=environment,
            user_id="newest",
            deactivated_at=NOON - HOUR,
            erased_at=None,
        )

        response = get(client, environment, "deactivated:index")

        found = [tombstone.user_id for tombstone in response.context["found"].rows]
        assert found == ["newest", "new", "old"]
        assert "being erased" in response.text
        assert "profile, 3 blocklist entries" in response.text
        assert "nexconn user/deactivate" in response.text

    def test_searches_by_prefix(self, client, environment):
        make_deactivated(environment=environment, user_id="mia")
        make_deactivated(environment=environment, user_id="jon")

        response = get(client, environment, "deactivated:index", q="mi", headers=HTMX)

        assert [tombstone.user_id for tombstone in response.context["found"].rows] == ["mia"]
        assert response.templates[0].name == "console/deactivated/_list.html"

    def test_shows_the_calls_that_reactivate_and_no_button(self, client, environment):
        environment = make_environment(
            application=environment.application, reactivation_cooling_off=2 * DAY
        )
        make_deactivated(environment=environment, user_id="mia")

        page = get(client, environment, "deactivated:reactivation_call", "mia", headers=HTMX).text

        assert "/user/reactivate.json" in page
        assert "/v4/user/restore" in page
        assert environment.app_key in page
        assert "The API refuses this before" in page
        assert "<form" not in page

    def test_shows_the_call_if_nobody_is_deactivated(self, client, environment):
        assert "/user/deactivate.json" in get(client, environment, "deactivated:index").text
