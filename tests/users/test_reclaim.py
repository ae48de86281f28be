"""A plan of which test users could go, with a reason for each."""

import pytest

from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_ban,
    make_connection,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from users import leases, pins, reclaim

pytestmark = pytest.mark.django_db


def plan(environment, wanted=10, prefix=""):
    return [
        (candidate.user.user_id, candidate.reason)
        for candidate in reclaim.plan(
            environment=environment, wanted=wanted, now=NOON, prefix=prefix
        ).candidates
    ]


@pytest.fixture
def environment():
    environment = make_environment()
    for user_id, age, unseen in (
        ("sample-01", HOUR, None),
        ("never-2d", 2 * DAY, None),
        ("never-9d", 9 * DAY, None),
        ("never-today", HOUR, None),
        ("quiet-8d", 30 * DAY, 8 * DAY),
        ("quiet-20d", 30 * DAY, 20 * DAY),
        ("busy", 30 * DAY, DAY),
        ("busiest", 30 * DAY, MINUTE),
        ("online", 30 * DAY, 20 * DAY),
        ("sample-02", HOUR, None),
    ):
        make_user(
            environment=environment,
            user_id=user_id,
            registered_at=NOON - age,
            last_seen_at=None if unseen is None else NOON - unseen,
        )
    for user_id in ("online", "sample-02"):
        make_connection(environment=environment, user_id=user_id)
    return environment


def test_the_least_missed_come_first_each_with_its_reason(environment):
    assert plan(environment, wanted=8) == [
        ("sample-01", "A sample user"),
        ("never-9d", "Never connected in 9 days since registration"),
        ("never-2d", "Never connected in 2 days since registration"),
        ("quiet-20d", "Not seen for 20 days"),
        ("quiet-8d", "Not seen for 8 days"),
        ("busy", "Last seen 1 day ago"),
        ("never-today", "Registered 1 hour ago, has not connected yet"),
        ("busiest", "Last seen 1 minute ago"),
    ]


def test_who_is_online_comes_last(environment):
    assert plan(environment, wanted=20)[-2:] == [
        ("online", "Online now"),
        ("sample-02", "Online now"),
    ]


def test_a_quota_that_a_pipeline_filled_today_has_a_plan():
    environment = make_environment()
    for user in make_users(environment=environment, count=100, prefix="ci-"):
        user.registered_at = user.last_seen_at = NOON - HOUR
        user.save()
    assert len(plan(environment, wanted=100)) == 100


def test_where_somebody_may_miss_them_it_is_said(environment):
    found = reclaim.plan(environment=environment, wanted=20, now=NOON).candidates
    missed = [candidate.user.user_id for candidate in found if candidate.may_be_missed]
    assert missed == ["busy", "never-today", "busiest", "online", "sample-02"]


def test_no_more_are_suggested_than_wanted_and_a_prefix_narrows(environment):
    assert [user_id for user_id, _ in plan(environment, wanted=2)] == ["sample-01", "never-9d"]
    assert [user_id for user_id, _ in plan(environment, prefix="quiet")] == [
        "quiet-20d",
        "quiet-8d",
    ]


def test_users_of_another_environment_are_not_in_it(environment):
    assert plan(make_environment()) == []


class TestPassedOver:
    """Whom a plan leaves alone it names, with the reason."""

    @pytest.fixture
    def held(self):
        environment = make_environment()
        for user_id in ("plain", "leased", "banned", "online", "pinned"):
            make_user(environment=environment, user_id=user_id, registered_at=NOON - 30 * DAY)
        at = {"environment": environment, "by": staff_actor("grace"), "now": NOON}
        leases.change(user_id="leased", until=NOON + HOUR, **at)
        make_ban(environment=environment, user_id="banned")
        make_connection(environment=environment, user_id="online")
        pins.pin(user_id="pinned", **at)
        return environment

    def plan(self, environment, wanted, **options):
        found = reclaim.plan(environment=environment, wanted=wanted, now=NOON, **options)
        return [
            [each.user.user_id for each in part] for part in (found.candidates, found.passed_over)
        ]

    def test_as_long_as_others_are_enough(self, held):
        assert self.plan(held, 1) == [["plain"], ["leased", "banned", "online", "pinned"]]

    def test_until_there_are_no_others_but_never_the_pinned(self, held):
        assert self.plan(held, 3) == [["plain", "leased", "banned"], ["online", "pinned"]]
        assert self.plan(held, 9) == [["plain", "leased", "banned", "online"], ["pinned"]]

    def test_with_the_reason(self, held):
        found = reclaim.plan(environment=held, wanted=1, now=NOON).passed_over
        assert [each.reason for each in found] == [
            "Lease ends in 1 hour, which frees the place",
            "Banned: a deletion removes the ban",
            "Online now",
            "Pinned by grace",
        ]

    def test_costs_the_same_for_many_as_for_few(self, held, django_assert_num_queries):
        make_users(environment=held, count=50)
        with django_assert_num_queries(3):
            reclaim.plan(environment=held, wanted=100, now=NOON)
