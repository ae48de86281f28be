"""Bans, mutes in conversations, blocklists and allowlists.

A list's owner among the listed ids is accepted and ignored: a vendor's test suite sends it, and
the entry would have no effect.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from api import fields, offset_paging
from api.vendor import Caller
from applications import counting
from moderation import bans, lists, mutes
from moderation.bans import LastEnd
from moderation.lists import UserList

_ends: offset_paging.Ends[LastEnd] = offset_paging.Ends()


def ban(caller: Caller, user_ids: Sequence[str], minutes: int) -> None:
    """Ban these users for a number of minutes, and close their connections."""
    expires_at = caller.now + timedelta(minutes=minutes)
    bans.impose(**caller.who_and_when, user_ids=user_ids, expires_at=expires_at, reason="")


def unban(caller: Caller, user_ids: Sequence[str]) -> None:
    """Lift the bans of these users."""
    bans.lift(**caller.who_and_when, user_ids=user_ids)


def banned(caller: Caller, page: int | None, size: int) -> dict[str, Any]:
    """Bans in force, the latest end first. Without a page, all of them up to a bound."""
    environment, now = caller.environment, caller.now
    offset = offset_paging.offset_of(page, size=size) if page else 0
    after, skipped = _ends.before(environment.pk, offset, now=now)
    found = bans.last_ends(
        environment=environment,
        now=now,
        after=after,
        offset=skipped,
        size=size if page else fields.MAX_UNPAGED_BANS,
    )
    if found:
        _ends.keep(environment.pk, offset + len(found), found[-1], now=now)
    return {
        "users": [
            {"user_id": ban.user_id, "ends_at": fields.format_time(ban.ends_at)} for ban in found
        ]
    }


def mute(
    caller: Caller, user_ids: Sequence[str], state: int, channels: Sequence[fields.Channel]
) -> None:
    """1 mutes these users in these kinds of conversation without an end, 0 lifts the mutes."""
    with transaction.atomic():
        for channel in dict.fromkeys(channels):
            kind = fields.CHANNELS[channel]
            if state:
                mutes.impose(
                    **caller.who_and_when, user_ids=user_ids, channel=kind, expires_at=None
                )
            else:
                mutes.lift(**caller.who_and_when, user_ids=user_ids, channel=kind)


def muted(caller: Caller, channel: fields.Channel, offset: int, size: int) -> dict[str, Any]:
    """The users muted in one kind of conversation, the first muted first."""
    found = mutes.in_channel(
        environment=caller.environment, channel=fields.CHANNELS[channel], now=caller.now
    )
    rows = offset_paging.rows(found, "id", offset=offset, size=size)
    return {"total": counting.count(found).value, "user_ids": [each.user_id for each in rows]}


def blocklist_add(caller: Caller, user_id: str, listed_ids: Sequence[str]) -> None:
    """Add these users to a user's blocklist."""
    others = _without(user_id, listed_ids)
    lists.blocklist.add(**caller.who_and_when, owner_id=user_id, listed_ids=others)


def blocklist_remove(caller: Caller, user_id: str, listed_ids: Sequence[str]) -> None:
    """Remove these users from a user's blocklist."""
    lists.blocklist.remove(**caller.who_and_when, owner_id=user_id, listed_ids=listed_ids)


def blocklist(
    caller: Caller, user_id: str, cursor: str | None, size: int, order: int = 0
) -> dict[str, Any]:
    """A page of a blocklist: newest first, or oldest first with order 1."""
    return _page(lists.blocklist, caller, user_id, cursor, size, order)


def allowlist_add(caller: Caller, user_id: str, listed_ids: Sequence[str]) -> None:
    """Add these users to a user's allowlist."""
    others = _without(user_id, listed_ids)
    lists.allowlist.add(**caller.who_and_when, owner_id=user_id, listed_ids=others)


def allowlist_remove(caller: Caller, user_id: str, listed_ids: Sequence[str]) -> None:
    """Remove these users from a user's allowlist."""
    lists.allowlist.remove(**caller.who_and_when, owner_id=user_id, listed_ids=listed_ids)


def allowlist(
    caller: Caller, user_id: str, cursor: str | None, size: int, order: int = 0
) -> dict[str, Any]:
    """A page of an allowlist: newest first, or oldest first with order 1."""
    return _page(lists.allowlist, caller, user_id, cursor, size, order)


def allowlist_switch(caller: Caller, user_ids: Sequence[str], state: int) -> None:
    """1 switches these users' allowlists on, 0 off; then their blocklists apply."""
    lists.switch_allowlist(**caller.who_and_when, owner_ids=user_ids, on=bool(state))


def allowlist_switches(caller: Caller, user_ids: Sequence[str]) -> dict[str, Any]:
    """Whether each of these users' allowlists is on."""
    on = lists.allowlists_on(environment=caller.environment, owner_ids=user_ids)
    return {
        "users": [
            {"user_id": user_id, "state": "1" if user_id in on else "0"} for user_id in user_ids
        ]
    }


def _without(owner_id: str, listed_ids: Sequence[str]) -> list[str]:
    return [user_id for user_id in listed_ids if user_id != owner_id]


def _page(
    user_list: UserList, caller: Caller, owner_id: str, cursor: str | None, size: int, order: int
) -> dict[str, Any]:
    page = user_list.page(
        environment=caller.environment,
        owner_id=owner_id,
        cursor=cursor or "",
        size=size,
        newest_first=order == 0,
    )
    return {"user_ids": [entry.listed_id for entry in page.rows], "next": page.next}
