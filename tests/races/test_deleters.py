"""Law 10 with two workers, and deletions that meet, on a real PostgreSQL."""

from functools import partial

import pytest

from applications.models import AuditEvent
from moderation.lists import blocklist
from moderation.models import BlocklistEntry
from tests.factories import (
    NOON,
    api_actor,
    make_entry,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from tests.races.racing import only, race
from users import deactivation, deletion, friends, registration
from users.models import AppUser, DeletionItem, DeletionJob, Friendship
from users.tokens import UnknownUsers

pytestmark = pytest.mark.django_db(transaction=True)

AT = {"by": staff_actor("grace"), "now": NOON}


def run(job):
    batches = 0
    while deletion.run_batch(job_id=job.pk, now=NOON, size=3):
        batches += 1
    return batches


def test_two_workers_on_one_job_delete_each_user_once():
    environment = make_environment()
    users = make_users(environment=environment, count=40)
    job = deletion.preview(environment=environment, candidates=[(user, "") for user in users], **AT)
    deletion.confirm(job=job, **AT)
    only((), race(*[partial(run, job)] * 4))
    run(job)
    job.refresh_from_db()
    assert job.state == DeletionJob.State.DONE
    assert set(job.items.values_list("result", flat=True)) == {DeletionItem.Result.DELETED}
    assert not AppUser.objects.exists()
    lines = AuditEvent.objects.filter(environment=environment)
    assert lines.filter(type="user.deleted").count() == 40
    assert lines.filter(type="deletion.finished").count() == 1


def test_who_empties_a_list_and_who_deletes_those_on_it_do_not_wait_in_a_ring():
    environment = make_environment()
    for _ in range(20):
        owner = make_user(environment=environment)
        listed = [user.user_id for user in make_users(environment=environment, count=30)]
        of_owner = {"environment": environment, "owner_id": owner.user_id, **AT}
        blocklist.add(**of_owner, listed_ids=listed)
        answers = race(
            partial(blocklist.remove, **of_owner, listed_ids=listed[::-1]),
            partial(deletion.delete, environment=environment, user_ids=listed, **AT),
        )
        only((), answers)


def test_a_job_confirmed_and_cancelled_at_once_is_one_of_the_two():
    environment = make_environment()
    [user] = make_users(environment=environment, count=1)
    for _ in range(20):
        job = deletion.preview(environment=environment, candidates=[(user, "")], **AT)
        answers = race(
            partial(deletion.confirm, job=job, **AT), partial(deletion.confirm, job=job, **AT)
        )
        assert len(only(deletion.JobNotOpen, answers)) == 1


def test_users_on_each_others_lists_can_be_deleted_at_once():
    environment = make_environment()
    for _ in range(15):
        pair = [make_user(environment=environment).user_id for _ in range(2)]
        for owner_id, listed_id in (pair, pair[::-1]):
            make_entry(
                BlocklistEntry, environment=environment, owner_id=owner_id, listed_id=listed_id
            )
        only(
            (),
            race(
                *(
                    partial(deletion.delete, environment=environment, user_ids=[user_id], **AT)
                    for user_id in pair
                )
            ),
        )
    assert not BlocklistEntry.objects.exists()


def test_friends_can_be_erased_at_once():
    environment = make_environment()
    for _ in range(15):
        pair = [make_user(environment=environment).user_id for _ in range(2)]
        friends.add(environment=environment, user_id=pair[0], friend_id=pair[1], direct=True, **AT)
        by_api = {"by": api_actor(), "now": NOON}
        deactivation.deactivate(environment=environment, user_ids=pair, **by_api)
        only(
            (),
            race(
                partial(deactivation.erase_pending, now=NOON, limit=1),
                partial(deactivation.erase_pending, now=NOON, limit=1),
                partial(deactivation.reactivate, environment=environment, user_ids=pair, **by_api),
            ),
        )
    assert not Friendship.objects.exists()


def test_deleted_and_registered_at_once_leaves_one_life_or_none():
    environment = make_environment()
    for number in range(20):
        user = make_user(environment=environment, user_id=f"user-{number}")
        answers = race(
            partial(deletion.delete, environment=environment, user_ids=[user.user_id], **AT),
            partial(registration.register, environment=environment, user_id=user.user_id, now=NOON),
            partial(deletion.delete, environment=environment, user_ids=[user.user_id], **AT),
        )
        only(UnknownUsers, answers)
        left = AppUser.objects.filter(user_id=user.user_id)
        assert left.count() <= 1
        assert user not in left
