"""What staff must say to ban for good, or several at once, in production; and who need not."""

import pytest

from applications.audit import Actor
from moderation import bans, stakes
from moderation.models import Ban
from tests.factories import DAY, NOON, api_actor, make_ban, make_environment, staff_actor

pytestmark = pytest.mark.django_db


def impose(environment, *, users=("mallory",), expires_at=None, reason="", by=None):
    return bans.impose(
        environment=environment,
        user_ids=users,
        expires_at=expires_at,
        reason=reason,
        by=by or staff_actor(),
        now=NOON,
    )


@pytest.mark.parametrize(
    "much", [{}, {"users": ("ada", "bob"), "expires_at": NOON + DAY}, {"reason": " \n"}]
)
def test_without_a_reason_staff_are_refused_in_production_and_nothing_is_banned(much):
    with pytest.raises(stakes.ReasonNeeded):
        impose(make_environment(kind="production"), **much)
    assert not Ban.objects.exists()


@pytest.mark.parametrize(
    "little",
    [
        {"expires_at": NOON + DAY},
        {"reason": "spam"},
        {"by": api_actor(), "users": ("ada", "bob")},
        {"by": Actor.system("test")},
    ],
)
def test_one_ban_that_ends_a_reason_and_other_doors_are_let_through(little):
    assert impose(make_environment(kind="production"), **little)


def test_development_asks_for_nothing():
    assert impose(make_environment(), users=("ada", "bob"))


def test_a_ban_is_not_made_permanent_without_a_reason():
    environment = make_environment(kind="production")
    ban = make_ban(environment=environment, reason="")
    with pytest.raises(stakes.ReasonNeeded):
        bans.change(
            environment=environment,
            ban_id=ban.pk,
            expires_at=None,
            reason="",
            by=staff_actor(),
            now=NOON,
        )
    assert Ban.objects.get().closed_at is None
