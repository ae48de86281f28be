"""Laws 5, 9 and 32 with several at once: who undoes, registers, deletes, pins and sweeps."""

from functools import partial

import pytest

from applications.models import FREE_USER_LIMIT, AuditEvent
from tests.factories import HOUR, NOON, make_environment, make_user, make_users, staff_actor
from tests.races.racing import only, race
from users import deletion, lease_sweep, leases, pins, registration, undo
from users.models import AppUser, DeletedUser, DeletionItem, DeletionJob, Place
from users.quota import QuotaExceeded
from users.tokens import UnknownUsers

pytestmark = pytest.mark.django_db(transaction=True)

AT = {"by": staff_actor("grace"), "now": NOON}


@pytest.fixture
def environment():
    return make_environment()


def deleted(environment, count):
    users = make_users(environment=environment, count=count, prefix="gone-")
    ids = [user.user_id for user in users]
    deletion.delete(environment=environment, user_ids=ids, **AT)
    return list(DeletedUser.objects.order_by("pk").values_list("pk", flat=True))


def bring_back(environment, *keys):
    return partial(undo.undo, environment=environment, keys=list(keys), **AT)


def test_the_same_undo_twice_at_once_brings_the_user_back_once(environment):
    [key] = deleted(environment, 1)
    answers = only((), race(*[bring_back(environment, key)] * 6))
    assert sum(len(answer.restored) for answer in answers) == 1
    assert AppUser.objects.count() == 1
    assert AuditEvent.objects.filter(type="deletion.undone").count() == 1


def test_undos_and_registrations_at_once_never_pass_the_limit(environment):
    keys = deleted(environment, 6)
    make_users(environment=environment, count=FREE_USER_LIMIT - 4)
    register = partial(registration.register, environment=environment, now=NOON)
    answers = race(
        *[bring_back(environment, key) for key in keys],
        *[partial(register, user_id=f"new-{number}") for number in range(6)],
    )
    only(QuotaExceeded, answers)
    assert AppUser.objects.count() == FREE_USER_LIMIT


def test_an_undo_and_a_registration_of_the_same_id_make_one_user(environment):
    [key] = deleted(environment, 1)
    register = partial(
        registration.register, environment=environment, user_id="gone-00001", now=NOON
    )
    only((), race(bring_back(environment, key), *[register] * 3))
    assert AppUser.objects.count() == 1


def test_who_deletes_and_who_undoes_do_not_wait_in_a_ring(environment):
    for _ in range(10):
        keys = deleted(environment, 8)
        others = [user.user_id for user in make_users(environment=environment, count=8)]
        delete = partial(deletion.delete, environment=environment, user_ids=others[::-1], **AT)
        only(UnknownUsers, race(bring_back(environment, *keys), delete))
        AppUser.objects.all().delete()
        DeletedUser.objects.all().delete()


def test_several_sweeps_at_once_put_each_lease_into_one_job(environment):
    for user in make_users(environment=environment, count=30):
        leases.renew({user.user_id: user.pk}, until=NOON)
    assert sum(only((), race(*[partial(lease_sweep.end_due, now=NOON)] * 4))) == 30
    assert DeletionItem.objects.count() == 30


def test_a_lease_that_is_moved_while_it_ends_is_moved_or_refused(environment):
    for _ in range(10):
        user = make_user(environment=environment)
        leases.renew({user.user_id: user.pk}, until=NOON)
        move = partial(
            leases.change,
            environment=environment,
            user_id=user.user_id,
            until=NOON + HOUR,
            **AT,
        )
        moved, swept = race(move, partial(lease_sweep.end_due, now=NOON))
        if isinstance(moved, leases.BeingDeleted):
            assert swept == 1
        else:
            assert (moved, swept) == (None, 0)
            assert Place.objects.get(user=user).lease_until == NOON + HOUR


def test_a_user_pinned_while_a_job_runs_is_kept_or_was_deleted_before(environment):
    for _ in range(10):
        user = make_user(environment=environment)
        job = deletion.preview(environment=environment, candidates=[(user, "")], **AT)
        deletion.confirm(job=job, **AT)
        pin = partial(pins.pin, environment=environment, user_id=user.user_id, **AT)
        pinned, _ = race(pin, partial(deletion.run_batch, job_id=job.pk, now=NOON))
        kept = AppUser.objects.filter(pk=user.pk).exists()
        assert kept == (pinned is None)
        assert kept or isinstance(pinned, UnknownUsers)
        assert DeletionJob.objects.get(pk=job.pk).items.get().result == (
            DeletionItem.Result.PINNED if kept else DeletionItem.Result.DELETED
        )
