"""Bans that are over go when their environment no longer keeps them (law 21)."""

from applications.models import Environment
from moderation import ban_retention, bans
from moderation.models import Ban
from tests.factories import DAY, NOON, make_environment, staff_actor


def ban(environment, user_id, *, at, expires_at=None):
    bans.impose(
        environment=environment,
        user_ids=[user_id],
        expires_at=expires_at,
        reason="",
        by=staff_actor(),
        now=at,
    )


def test_a_ban_goes_with_its_changes_and_one_in_force_keeps_them(environment):
    Environment.objects.filter(pk=environment.pk).update(keep_bans=30 * DAY)
    other = make_environment()
    where = {"environment": environment, "by": staff_actor()}
    for each in (environment, other):
        ban(each, "over", at=NOON)
        ban(each, "over", at=NOON + DAY)  # a change
    for each in (environment, other):
        bans.lift(environment=each, user_ids=["over"], by=staff_actor(), now=NOON + 2 * DAY)
    ban(environment, "over", at=NOON + 3 * DAY)
    ban(environment, "in-force", at=NOON)
    ban(environment, "in-force", at=NOON + DAY)
    ban(environment, "young", at=NOON)
    bans.lift(**where, user_ids=["young"], now=NOON + 3 * DAY)

    assert ban_retention.forget_old(now=NOON + 32 * DAY) == 2
    assert ban_retention.forget_old(now=NOON + 32 * DAY) == 0
    left = Ban.objects.filter(environment=environment).order_by("pk")
    assert [(each.user_id, each.outcome) for each in left] == [
        ("over", ""),
        ("in-force", "replaced"),
        ("in-force", ""),
        ("young", "lifted"),
    ]
    assert Ban.objects.filter(environment=other).count() == 2


def test_nothing_goes_where_bans_are_kept_without_end(environment):
    Environment.objects.update(keep_bans=None)
    ban(environment, "mia", at=NOON)
    bans.lift(environment=environment, user_ids=["mia"], by=staff_actor(), now=NOON)
    assert ban_retention.forget_old(now=NOON + 9_000 * DAY) == 0
