"""What RongCloud's and Nexconn's calls do that is more than one verb of the domain.

Arguments are plain and answers the domain's: paths, words, bounds and envelopes are each vendor's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.db import transaction

from api import fields, numbered
from api.vendor import Caller
from applications import counting
from moderation import bans, mutes
from moderation.models import Ban, Mute
from users import friends, hosted_profiles, presence, profiles, tokens
from users.models import DeactivatedUser, Friendship, Profile

# Clocks of two machines differ: a moment so little ahead is meant as now.
CLOCKS_DIFFER = timedelta(seconds=5)
BY_REGISTRATION = ("registered_at", "id")
LAST_REGISTERED_FIRST = ("-registered_at", "-id")


def expire_tokens(caller: Caller, user_ids: Iterable[str], milliseconds: int) -> None:
    """Tokens issued before this moment are dead. Ids that are not registered are skipped: the
    vendors' suites revoke tokens of users that they never register. Raises `tokens.MomentAhead`.
    """
    before = fields.moment(milliseconds)
    if caller.now < before <= caller.now + CLOCKS_DIFFER:
        before = caller.now
    tokens.expire(**caller.who_and_when, user_ids=user_ids, before=before)


def online_status(caller: Caller, user_id: str) -> Literal["0", "1"]:
    """1 while a client of the user is connected."""
    online = presence.is_online(environment=caller.environment, user_id=user_id, now=caller.now)
    return "1" if online else "0"


def deactivated(caller: Caller, *, page: int, size: int) -> list[str]:
    """Deactivated ids, the latest first, erased or still to be."""
    tombstones = numbered.page(
        DeactivatedUser.objects.filter(environment=caller.environment),
        *("-deactivated_at", "-id"),
        number=page,
        size=size,
    )
    return [each.user_id for each in tombstones]


def ban(caller: Caller, user_ids: Iterable[str], minutes: int) -> None:
    """Ban these users, and close their connections."""
    expires_at = caller.now + timedelta(minutes=minutes)
    bans.impose(**caller.who_and_when, user_ids=user_ids, expires_at=expires_at, reason="")


def bans_in_force(caller: Caller, *, page: int | None, size: int) -> list[Ban]:
    """The latest end first. Page 0 or None is the whole list, up to a bound, whatever the size."""
    return numbered.page(
        Ban.objects.in_environment(caller.environment).in_force(caller.now),
        *("-ends_at", "-id"),
        number=page or 1,
        size=size if page else fields.MAX_UNPAGED_BANS,
    )


def mute(caller: Caller, user_ids: Sequence[str], channels: Iterable[str], *, on: bool) -> None:
    """Mute these users in these kinds of conversations until further notice, or no longer."""
    with transaction.atomic():
        for channel in dict.fromkeys(channels):
            kind = fields.CHANNELS[channel]
            if on:
                mutes.impose(
                    **caller.who_and_when, user_ids=user_ids, channel=kind, expires_at=None
                )
            else:
                mutes.lift(**caller.who_and_when, user_ids=user_ids, channel=kind)


def muted(caller: Caller, channel: str, *, offset: int, size: int) -> tuple[int, list[str]]:
    """How many are muted in one kind of conversation, and some of them, the first muted first."""
    found = mutes.in_channel(
        environment=caller.environment, channel=fields.CHANNELS[channel], now=caller.now
    )
    rows: list[Mute] = numbered.rows(found, "id", offset=offset, size=size)
    return counting.count(found).value, [each.user_id for each in rows]


def change_list(
    verb: Callable[..., list[str]], caller: Caller, owner_id: str, listed_ids: Iterable[str]
) -> None:
    """Add to somebody's list, or remove from it. Their own id is accepted and ignored: a vendor's
    suite sends it, and an entry for oneself would have no effect.
    """
    others = [user_id for user_id in listed_ids if user_id != owner_id]
    verb(**caller.who_and_when, owner_id=owner_id, listed_ids=others)


def hosted_profiles_by_registration(
    caller: Caller, *, page: int, size: int, newest_first: bool
) -> list[Profile]:
    """The profiles of those who have one, by when their users were registered."""
    users = numbered.page(
        hosted_profiles.holders(caller.environment),
        *(LAST_REGISTERED_FIRST if newest_first else BY_REGISTRATION),
        number=page,
        size=size,
    )
    return hosted_profiles.of_users(
        environment=caller.environment, user_ids=[user.user_id for user in users]
    )


@dataclass(frozen=True)
class FriendsPage:
    """Friends with their names; `next` is the cursor of the following page, "" behind the last."""

    rows: list[tuple[Friendship, str]]
    total: int
    next: str


def friends_page(
    caller: Caller, user_id: str, *, cursor: str, size: int, newest_first: bool
) -> FriendsPage:
    """A user's friends, by when they became friends."""
    page = friends.page(
        environment=caller.environment,
        user_id=user_id,
        cursor=cursor,
        size=size,
        newest_first=newest_first,
    )
    names = profiles.names_of(
        environment=caller.environment, user_ids=[each.friend_id for each in page.rows]
    )
    total = friends.count(environment=caller.environment, user_id=user_id)
    rows = [(each, names.get(each.friend_id, "")) for each in page.rows]
    return FriendsPage(rows, total, page.next or "")


def relations(
    caller: Caller, user_id: str, others: Sequence[str]
) -> list[tuple[str, Literal[1, 4]]]:
    """Each of the others with 4 where they are friends, and 1 where not."""
    found = friends.friends_among(environment=caller.environment, user_id=user_id, others=others)
    return [(other, 4 if other in found else 1) for other in others]
