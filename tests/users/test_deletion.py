"""Deletion: test users go as if they had never been there."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from applications import environments
from applications.keyset import BadCursor
from applications.models import AuditEvent
from applications.models.jobs import STALLED_AFTER
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry
from tests.factories import (
    HOUR,
    NOON,
    api_actor,
    make_ban,
    make_connection,
    make_entry,
    make_environment,
    make_switch,
    make_user,
    make_users,
    staff_actor,
)
from users import deletion, registration
from users.deletion import JobNotOpen, NobodyToDelete, NotInProduction
from users.models import AppUser, Connection, DeletionItem, DeletionJob
from users.tokens import UnknownUsers

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}
MICROSECOND = timedelta(microseconds=1)
Result, State = DeletionItem.Result, DeletionJob.State


def belongings(environment, user_id):
    """Everything moderation can keep that names a user."""
    make_ban(environment=environment, user_id=user_id)
    make_ban(
        environment=environment,
        user_id=user_id,
        closed_at=NOON,
        closed_by="grace",
        outcome=Ban.Outcome.LIFTED,
    )
    for model in (BlocklistEntry, AllowlistEntry):
        make_entry(model, environment=environment, owner_id=user_id, listed_id="other")
        make_entry(model, environment=environment, owner_id="other", listed_id=user_id)
    make_switch(environment=environment, owner_id=user_id)


def moderated(environment):
    """How many rows of each kind moderation keeps."""
    models = (Ban, BlocklistEntry, AllowlistEntry, AllowlistSwitch)
    return [model.objects.filter(environment=environment).count() for model in models]


def preview(environment, users, **at):
    return deletion.preview(
        environment=environment, candidates=[(user, "why") for user in users], **AT | at
    )


def confirmed(environment, users):
    job = preview(environment, users)
    deletion.confirm(job=job, **AT)
    return job


def run(job, *, now=NOON, size=deletion.BATCH_SIZE):
    while deletion.run_batch(job_id=job.pk, now=now, size=size):
        pass
    job.refresh_from_db()


def results(job):
    return dict(job.items.values_list("user_id", "result"))


class TestInProduction:
    """Law 7: delete exists in development alone; the domain refuses whoever calls."""

    @pytest.mark.parametrize("actor", [staff_actor(), api_actor()], ids=["staff", "api"])
    def test_every_verb_refuses_whoever_calls(self, actor):
        user = make_user(environment=make_environment(kind="production"))
        at = {"environment": user.environment, "by": actor, "now": NOON}
        with pytest.raises(NotInProduction):
            deletion.delete(user_ids=[user.user_id], **at)
        with pytest.raises(NotInProduction):
            deletion.preview(candidates=[(user, "")], **at)
        job = DeletionJob.objects.create(
            environment=user.environment, previewed_at=NOON, previewed_by="grace"
        )
        with pytest.raises(NotInProduction):
            deletion.confirm(job=job, by=actor, now=NOON)
        assert AppUser.objects.filter(pk=user.pk).exists()


class TestUnlocked:
    """Law 8: in production an API call deletes only while an owner has lifted the lock."""

    def test_lets_api_calls_through_until_the_stated_time_and_nobody_else(self):
        environment = make_environment(kind="production")
        first, second = make_users(environment=environment, count=2)
        unlock = {"environment": environment, **AT}
        environment = environments.unlock_deletion(lasting=HOUR, **unlock)
        at = {"environment": environment, "user_ids": [first.user_id]}
        with pytest.raises(NotInProduction):
            deletion.delete(by=staff_actor(), now=NOON, **at)
        with pytest.raises(NotInProduction):
            deletion.delete(by=api_actor(), now=NOON + HOUR, **at)
        assert deletion.delete(by=api_actor(), now=NOON + HOUR - MICROSECOND, **at)
        environment = environments.unlock_deletion(lasting=timedelta(0), **unlock)
        with pytest.raises(NotInProduction):
            deletion.delete(
                environment=environment, user_ids=[second.user_id], by=api_actor(), now=NOON
            )
        assert AppUser.objects.get() == second

    def test_for_a_limited_time_only(self):
        environment = make_environment(kind="production")
        with pytest.raises(environments.InvalidSetting):
            environments.unlock_deletion(
                environment=environment,
                lasting=environments.MAX_UNLOCK + MICROSECOND,
                **AT,
            )

    def test_leaves_the_other_environments_locked(self):
        environment, other = (make_environment(kind="production") for _ in range(2))
        environments.unlock_deletion(environment=environment, lasting=HOUR, **AT)
        user = make_user(environment=other)
        with pytest.raises(NotInProduction):
            deletion.delete(environment=other, user_ids=[user.user_id], by=api_actor(), now=NOON)


class TestDelete:
    """Law 9: a deleted user leaves nothing; registering the id again starts clean."""

    def test_takes_everything_that_names_the_user_along(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada", name="Ada", last_seen_at=NOON)
        belongings(environment, "ada")
        connection = make_connection(environment=environment, user_id="ada")
        deletion.delete(environment=environment, user_ids=["ada"], **AT)
        assert moderated(environment) == [0, 0, 0, 0]
        connection.refresh_from_db()
        assert (connection.kicked_at, connection.kick_reason) == (NOON, "deleted")
        again = registration.register(environment=environment, user_id="ada", now=NOON)
        assert again.created
        user = AppUser.objects.get(pk=again.life)
        assert (user.name, user.last_seen_at) == ("", None)

    def test_touches_nobody_else(self):
        environment, elsewhere = make_environment(), make_environment()
        for place in (environment, elsewhere):
            for user_id in ("ada", "bob"):
                make_user(environment=place, user_id=user_id)
                belongings(place, user_id)
                make_connection(environment=place, user_id=user_id)
        before = moderated(elsewhere)
        deletion.delete(environment=environment, user_ids=["ada"], **AT)
        assert moderated(elsewhere) == before
        assert moderated(environment) == [2, 2, 2, 1]
        assert AppUser.objects.filter(environment=environment).get().user_id == "bob"
        assert Connection.objects.exclude(kicked_at=None).count() == 1

    def test_of_several_is_all_or_none(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        with pytest.raises(UnknownUsers) as refusal:
            deletion.delete(environment=environment, user_ids=["ada", "nobody"], **AT)
        assert refusal.value.user_ids == ["nobody"]
        assert AppUser.objects.filter(user_id="ada").exists()

    def test_leaves_a_line_for_each_user(self):
        environment = make_environment()
        users = make_users(environment=environment, count=3)
        deletion.delete(environment=environment, user_ids=[user.user_id for user in users], **AT)
        lines = AuditEvent.objects.filter(type="user.deleted")
        assert {line.subject for line in lines} == {user.user_id for user in users}


class TestDeleteOldest:
    def delete(self, environment, *, by=None, now=NOON, **page):
        at = {"by": by or api_actor(), "now": now}
        return deletion.delete_oldest(environment=environment, **{"size": 2, **page}, **at)

    def test_deletes_page_by_page_whom_it_answers_with(self):
        environment = make_environment()
        make_users(environment=environment, count=3)
        first = self.delete(environment)
        last = self.delete(environment, cursor=first.next)
        assert [user.user_id for user in first.rows + last.rows] == [
            "user-00001",
            "user-00002",
            "user-00003",
        ]
        assert last.next is None
        assert not AppUser.objects.exists()
        assert AuditEvent.objects.filter(type="user.deleted").count() == 3

    def test_takes_no_other_lists_cursor_for_the_start(self):
        environment = make_environment()
        make_users(environment=environment, count=1)
        with pytest.raises(BadCursor):
            self.delete(environment, cursor="x")
        assert AppUser.objects.exists()

    def test_law_8_in_production_needs_an_api_call_and_an_unlocked_environment(self):
        locked = make_environment(kind="production")
        unlocked = make_environment(kind="production", deletion_unlocked_until=NOON + HOUR)
        for environment, by, now in (
            (locked, api_actor(), NOON),
            (unlocked, staff_actor(), NOON),
            (unlocked, api_actor(), NOON + HOUR),
        ):
            with pytest.raises(NotInProduction):
                self.delete(environment, by=by, now=now)
        assert self.delete(unlocked).rows == []


class TestJob:
    """Law 10: deleting several is one durable job: a preview of exactly whom, a result per user,
    and no user deleted who was not previewed.
    """

    def test_preview_deletes_nobody_and_runs_only_once_confirmed(self):
        environment = make_environment()
        users = make_users(environment=environment, count=3)
        job = preview(environment, users)
        assert not deletion.run_batch(job_id=job.pk, now=NOON)
        assert results(job) == {user.user_id: Result.PENDING for user in users}
        assert AppUser.objects.count() == 3

    def test_deletes_exactly_whom_it_previewed_in_batches(self):
        environment = make_environment()
        users = make_users(environment=environment, count=7)
        job = confirmed(environment, users[:5])
        newcomer = make_user(environment=environment)
        assert deletion.run_batch(job_id=job.pk, now=NOON, size=2)
        assert sorted(results(job).values()) == [Result.DELETED] * 2 + [Result.PENDING] * 3
        run(job, size=2)
        assert job.state == State.DONE
        assert results(job) == {user.user_id: Result.DELETED for user in users[:5]}
        assert set(AppUser.objects.all()) == {*users[5:], newcomer}

    def test_names_who_was_gone_already_and_keeps_who_registered_again(self):
        environment = make_environment()
        gone, back, plain = make_users(environment=environment, count=3)
        job = confirmed(environment, [gone, back, plain])
        deletion.delete(environment=environment, user_ids=[gone.user_id, back.user_id], **AT)
        again = make_user(environment=environment, user_id=back.user_id)
        belongings(environment, back.user_id)
        run(job)
        assert results(job) == {
            gone.user_id: Result.GONE,
            back.user_id: Result.ANOTHER_LIFE,
            plain.user_id: Result.DELETED,
        }
        assert set(AppUser.objects.all()) == {again}
        assert moderated(environment) == [2, 2, 2, 1]

    def test_is_confirmed_once(self):
        environment = make_environment()
        job = confirmed(environment, make_users(environment=environment, count=1))
        with pytest.raises(JobNotOpen):
            deletion.confirm(job=job, **AT)

    def test_can_be_cancelled_before_it_runs_and_half_way(self):
        environment = make_environment()
        users = make_users(environment=environment, count=4)
        never, halfway = preview(environment, users[:2]), confirmed(environment, users)
        deletion.cancel(job=never, **AT)
        with pytest.raises(JobNotOpen):
            deletion.confirm(job=never, **AT)
        deletion.run_batch(job_id=halfway.pk, now=NOON, size=1)
        deletion.cancel(job=halfway, **AT)
        run(halfway)
        assert AppUser.objects.count() == 3
        with pytest.raises(JobNotOpen):
            deletion.cancel(job=halfway, **AT)

    def test_of_nobody_is_refused(self):
        with pytest.raises(NobodyToDelete):
            preview(make_environment(), [])

    def test_that_stands_still_is_found_and_one_that_moves_is_not(self):
        environment = make_environment()
        job = confirmed(environment, make_users(environment=environment, count=3))
        later = NOON + STALLED_AFTER
        assert deletion.stalled(now=later - timedelta(microseconds=1)) == []
        assert deletion.stalled(now=later) == [job.pk]
        deletion.run_batch(job_id=job.pk, now=later, size=1)
        assert deletion.stalled(now=later) == []
        run(job, now=later)
        assert deletion.stalled(now=later + STALLED_AFTER) == []

    def test_costs_the_same_per_batch_whatever_its_size(self, django_assert_num_queries):
        environment = make_environment()
        counts = []
        for size in (2, 20):
            job = confirmed(environment, make_users(environment=environment, count=size))
            with django_assert_num_queries(36, exact=False) as queries:
                deletion.run_batch(job_id=job.pk, now=NOON, size=size)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_leaves_its_story(self):
        environment = make_environment()
        job = confirmed(environment, make_users(environment=environment, count=1))
        run(job)
        lines = AuditEvent.objects.filter(environment=environment).order_by("pk")
        assert [line.type for line in lines] == [
            "deletion.previewed",
            "deletion.started",
            "user.deleted",
            "deletion.finished",
        ]
        assert f"deletion {job.pk}, confirmed by grace" in lines[2].via

    def test_rows_without_sense_are_refused_by_the_database(self):
        environment = make_environment()
        job = preview(environment, make_users(environment=environment, count=1))
        with pytest.raises(IntegrityError, match="users_deletionjob_confirmed_before_it_runs"):
            DeletionJob.objects.filter(pk=job.pk).update(state=State.RUNNING)

    def test_an_item_done_without_a_time_is_refused_by_the_database(self):
        environment = make_environment()
        job = preview(environment, make_users(environment=environment, count=1))
        with pytest.raises(IntegrityError, match="users_deletionitem_done_has_time"):
            job.items.update(result=Result.DELETED)
