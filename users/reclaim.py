"""Suggests test users to delete, with a reason for each, to free places in the quota.

It only suggests; `users.deletion` previews and deletes.

Invariants
----------
* Every user who is not pinned has a rank, so a plan is shorter than requested only if there are no
  other users.
* Whom a plan passes over, it names, with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import cast

from django.dispatch import Signal
from django.utils.translation import gettext

from applications.models import FREE_USER_LIMIT, Environment
from users.models import AppUser, Place
from users.registration import SAMPLE_PREFIX

DAY = timedelta(days=1)
# A user who was seen more recently than this is probably in use.
QUIET_FOR = 7 * DAY
# How long a new user has to connect for the first time.
NEVER_CONNECTED_FOR = DAY

# Sent with environment, user_ids and now. A receiver returns user_id → why the user should rather
# not be deleted, as a sentence without its full stop.
objecting = Signal()


class Rank(IntEnum):
    """Why a user may be deleted, safest first. Within a rank, the longest unseen come first."""

    SAMPLE = 0
    NEVER_CONNECTED = 1
    QUIET = 2
    # From here on, somebody may miss the user.
    SEEN_THIS_WEEK = 3
    NEW = 4
    SEEN_TODAY = 5
    # From here on, a plan passes over the user as long as others are enough.
    LEASED = 6
    OBJECTED = 7
    ONLINE = 8
    # Never in a plan.
    PINNED = 9


@dataclass(frozen=True)
class Candidate:
    user: AppUser
    rank: Rank
    reason: str

    @property
    def may_be_missed(self) -> bool:
        return self.rank > Rank.QUIET

    @property
    def is_held_back(self) -> bool:
        return self.rank >= Rank.LEASED


@dataclass(frozen=True)
class Plan:
    """`passed_over` are the users who are kept although others had to go: pinned, online, and so
    on, each with the reason.
    """

    candidates: list[Candidate]
    passed_over: list[Candidate]


def plan(*, environment: Environment, wanted: int, now: datetime, prefix: str = "") -> Plan:
    """Up to `wanted` users, safest first; only ids that begin with `prefix`. Two queries, and those
    of the receivers of `objecting`.
    """
    everyone = AppUser.objects.in_environment(environment).select_related("place")
    if prefix:
        everyone = everyone.with_prefix(prefix)
    online = set(everyone.online(now).values_list("pk", flat=True))
    # A bound only: deletion is for development, which never has more users than the limit.
    users = list(everyone.order_by("registered_at", "pk")[: 2 * FREE_USER_LIMIT])
    objections: dict[str, str] = {}
    for _, found in objecting.send(
        sender=None, environment=environment, user_ids=[user.user_id for user in users], now=now
    ):
        objections |= cast(dict[str, str], found)
    ranked = [_candidate(user, user.pk in online, objections, now) for user in users]
    ranked.sort(key=lambda each: (each.rank, _waiting_since(each.user), each.user.pk))
    candidates = [each for each in ranked if each.rank < Rank.PINNED][:wanted]
    chosen = {each.user.pk for each in candidates}
    return Plan(
        candidates,
        [each for each in ranked if each.is_held_back and each.user.pk not in chosen],
    )


def _waiting_since(user: AppUser) -> datetime:
    return user.last_seen_at or user.registered_at


def _candidate(
    user: AppUser, online: bool, objections: Mapping[str, str], now: datetime
) -> Candidate:
    place: Place | None = getattr(user, "place", None)
    if place is not None and place.pinned_at:
        return Candidate(
            user, Rank.PINNED, gettext("Pinned by {pinned_by}").format(pinned_by=place.pinned_by)
        )
    if online:
        return Candidate(user, Rank.ONLINE, "Online now")
    if user.user_id in objections:
        return Candidate(user, Rank.OBJECTED, objections[user.user_id])
    if place is not None and place.lease_until:
        left = _as_text(place.lease_until - now)
        return Candidate(user, Rank.LEASED, f"Lease ends in {left}, which frees the place")
    return _by_age(user, now)


def _by_age(user: AppUser, now: datetime) -> Candidate:
    idle = now - _waiting_since(user)
    if user.user_id.startswith(SAMPLE_PREFIX):
        return Candidate(user, Rank.SAMPLE, "A sample user")
    if user.last_seen_at is None:
        if idle >= NEVER_CONNECTED_FOR:
            reason = f"Never connected in {_as_text(idle)} since registration"
            return Candidate(user, Rank.NEVER_CONNECTED, reason)
        reason = f"Registered {_as_text(idle)} ago, has not connected yet"
        return Candidate(user, Rank.NEW, reason)
    if idle >= QUIET_FOR:
        return Candidate(user, Rank.QUIET, f"Not seen for {_as_text(idle)}")
    rank = Rank.SEEN_THIS_WEEK if idle >= DAY else Rank.SEEN_TODAY
    return Candidate(user, rank, f"Last seen {_as_text(idle)} ago")


def _as_text(span: timedelta) -> str:
    """The duration in its largest whole unit: "9 days", "1 hour", "0 minutes"."""
    for unit, size in (("day", DAY), ("hour", timedelta(hours=1))):
        if number := span // size:
            return f"{number} {unit}{'' if number == 1 else 's'}"
    number = max(0, span // timedelta(minutes=1))
    return f"{number} minute{'' if number == 1 else 's'}"
