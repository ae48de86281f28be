"""Suggests test users to delete, with a reason for each, to free places in the quota.

It only suggests; `users.deletion` previews and deletes.

Invariant: every user has a rank, so a plan is shorter than requested only if there are fewer users.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from applications.models import FREE_USER_LIMIT, Environment
from users.models import AppUser
from users.registration import SAMPLE_PREFIX

DAY = timedelta(days=1)
# A user who was seen more recently than this is probably in use.
QUIET_FOR = 7 * DAY
# How long a new user has to connect for the first time.
NEVER_CONNECTED_FOR = DAY


class Rank(IntEnum):
    """Why a user may be deleted, safest first. Within a rank, the longest unseen come first."""

    SAMPLE = 0
    NEVER_CONNECTED = 1
    QUIET = 2
    # From here on, somebody may miss the user.
    SEEN_THIS_WEEK = 3
    NEW = 4
    SEEN_TODAY = 5
    ONLINE = 6


@dataclass(frozen=True)
class Candidate:
    user: AppUser
    rank: Rank
    reason: str

    @property
    def may_be_missed(self) -> bool:
        return self.rank > Rank.QUIET


def plan(
    *, environment: Environment, wanted: int, now: datetime, prefix: str = ""
) -> list[Candidate]:
    """Up to `wanted` users, safest first; only ids that begin with `prefix`. Two queries."""
    everyone = AppUser.objects.in_environment(environment)
    if prefix:
        everyone = everyone.with_prefix(prefix)
    online = set(everyone.online(now).values_list("pk", flat=True))
    # A bound only: deletion is for development, which never has more users than the limit.
    users = everyone.order_by("registered_at", "pk")[: 2 * FREE_USER_LIMIT]
    ranked = [(_candidate(user, user.pk in online, now), _waiting_since(user)) for user in users]
    ranked.sort(key=lambda entry: (entry[0].rank, entry[1], entry[0].user.pk))
    return [candidate for candidate, _ in ranked[:wanted]]


def _waiting_since(user: AppUser) -> datetime:
    return user.last_seen_at or user.registered_at


def _candidate(user: AppUser, online: bool, now: datetime) -> Candidate:
    idle, is_sample = now - _waiting_since(user), user.user_id.startswith(SAMPLE_PREFIX)
    if online:
        return Candidate(user, Rank.ONLINE, "Online now")
    if is_sample:
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
