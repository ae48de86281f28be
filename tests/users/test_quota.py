"""The quota meter. (That the quota holds is proven with registration.)"""

from datetime import timedelta

import pytest

from applications.counting import Count
from applications.models import FREE_USER_LIMIT, AuditEvent, Plan
from tests.factories import DAY, NOON, api_actor, make_environment, make_users, staff_actor
from users import deactivation, deletion, quota, registration, undo
from users.models import AppUser, DeletedUser, RegistrationTally

pytestmark = pytest.mark.django_db


def register(environment, count, *, on):
    registration.register_new(
        environment=environment,
        users=[AppUser(user_id=f"{on:%d}-{number}") for number in range(count)],
        now=on,
    )


class TestUsage:
    """Law 2: the meter reads the same constant as the error."""

    def test_says_used_free_and_when_it_will_be_full(self):
        environment = make_environment()
        register(environment, 20, on=NOON - 20 * DAY)  # before the fortnight that sets the pace
        register(environment, 60, on=NOON - 3 * DAY)
        register(environment, 7, on=NOON)
        usage = quota.usage(environment=environment, now=NOON)
        assert (usage.users, usage.limit, usage.free, usage.percent) == (Count(87), 100, 13, 87)
        assert usage.per_day == 67 / 14
        assert usage.full_in_days == 3

    def test_of_a_full_and_of_an_idle_environment(self):
        full, idle = make_environment(), make_environment()
        make_users(environment=full, count=FREE_USER_LIMIT)
        assert quota.usage(environment=full, now=NOON).full_in_days == 0
        assert quota.usage(environment=idle, now=NOON).full_in_days is None

    def test_without_a_limit_has_neither_percent_nor_end(self):
        usage = quota.usage(
            environment=make_environment(kind="production", plan=Plan.PRO), now=NOON
        )
        assert (usage.limit, usage.free, usage.percent, usage.full_in_days) == (None,) * 4

    def test_costs_two_queries(self, django_assert_num_queries):
        environment = make_environment()
        make_users(environment=environment, count=30)
        with django_assert_num_queries(2):
            quota.usage(environment=environment, now=NOON)


class TestRegistrationsPerDay:
    def test_has_every_day_once_and_keeps_those_of_deleted_users(self):
        environment = make_environment()
        register(environment, 2, on=NOON - 2 * DAY)
        register(environment, 3, on=NOON)
        deletion.delete(environment=environment, user_ids=["02-0"], by=staff_actor(), now=NOON)
        assert quota.registrations_per_day(environment=environment, now=NOON, days=4) == [
            ((NOON - timedelta(days=past)).date(), count)
            for past, count in ((3, 0), (2, 2), (1, 0), (0, 3))
        ]

    def test_adds_up_over_its_shards(self):
        environment = make_environment()
        for shard in (70, 71):  # of sessions that have ended
            RegistrationTally.objects.create(
                environment=environment, day=NOON, shard=shard, count=10
            )
        for number in range(20):
            registration.register(environment=environment, user_id=f"u{number}", now=NOON)
        assert RegistrationTally.objects.filter(environment=environment).count() == 3
        assert quota.registrations_per_day(environment=environment, now=NOON, days=1) == [
            (NOON.date(), 40)
        ]

    def test_does_not_count_who_was_known(self):
        environment = make_environment()
        for _ in range(2):
            registration.register(environment=environment, user_id="ada", now=NOON)
        assert quota.registrations_per_day(environment=environment, now=NOON, days=1) == [
            (NOON.date(), 1)
        ]


class TestRefusal:
    def test_after_a_downgrade_tells_how_many_are_registered(self):
        environment = make_environment(kind="production", plan=Plan.TRIAL)
        make_users(environment=environment, count=221)
        with pytest.raises(quota.QuotaExceeded, match=r"^221 of 100 users are registered\."):
            register(environment, 1, on=NOON)


class TestThresholds:
    """The quota at 80, 95 and 100 %: told each time it is reached, and never by a refusal."""

    def test_leave_one_line_each_on_the_way_up(self):
        environment = make_environment()
        register(environment, 79, on=NOON - DAY)
        register(environment, 15, on=NOON)
        with pytest.raises(quota.QuotaExceeded):
            register(environment, 7, on=NOON + DAY)
        register(environment, 6, on=NOON + DAY)

        lines = AuditEvent.objects.filter(type="quota.reached").order_by("pk")
        assert [line.after for line in lines] == [
            {"percent": 80, "used": 94, "limit": 100},
            {"percent": 95, "used": 100, "limit": 100},
            {"percent": 100, "used": 100, "limit": 100},
        ]


def test_history_is_computed_back_from_today(environment):
    by = {"environment": environment, "by": staff_actor()}
    day = NOON - 3 * DAY
    for number in range(4):
        registration.register(environment=environment, user_id=f"u-{number}", now=day)
    deletion.delete(user_ids=["u-0", "u-1"], now=day + DAY, **by)
    undo.undo(keys=[DeletedUser.objects.get(user_id="u-0").pk], now=day + DAY, **by)
    at = {"environment": environment, "user_ids": ["u-2", "stranger"]}
    deactivation.deactivate(by=api_actor(), now=day + 2 * DAY, **at)
    found = quota.history(environment=environment, now=NOON, days=5, used=2)
    assert [number for _, number in found] == [0, 4, 3, 2, 2]
    assert found[-1][0] == NOON.date()
