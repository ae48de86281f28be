"""Friends, their aliases, and who may become whose friend."""

from collections.abc import Mapping, Sequence
from typing import Any

from api import profile_words
from api.vendor import Caller
from applications import unix_time
from users import friend_permissions, friends, profiles
from users.models import FriendPermission

# The vendors' numbers: `action` of `add`, and `result` of `relations`.
DIRECTLY = 2
STRANGERS, FRIENDS = 1, 4


def add(caller: Caller, user_id: str, target_id: str, action: int, message: str) -> None:
    """Make two users friends: 1 asks the other if their permission requires it, 2 never asks."""
    friends.add(
        **caller.who_and_when,
        user_id=user_id,
        friend_id=target_id,
        direct=action == DIRECTLY,
        message=message,
    )


def remove(caller: Caller, user_id: str, target_ids: Sequence[str]) -> None:
    """End these friendships, on both sides."""
    friends.remove(**caller.who_and_when, user_id=user_id, friend_ids=target_ids)


def remove_all(caller: Caller, user_id: str) -> None:
    """End all friendships of a user."""
    friends.remove_all(**caller.who_and_when, user_id=user_id)


def page(caller: Caller, user_id: str, cursor: str | None, size: int, order: int) -> dict[str, Any]:
    """A user's friends, in the order in which they became friends."""
    found = friends.page(
        environment=caller.environment,
        user_id=user_id,
        cursor=cursor or "",
        size=size,
        newest_first=bool(order),
    )
    names = profiles.names_of(
        environment=caller.environment, user_ids=[each.friend_id for each in found.rows]
    )
    return {
        "next": found.next,
        "total": friends.count(environment=caller.environment, user_id=user_id),
        "friends": [
            {
                "user_id": each.friend_id,
                "name": names.get(each.friend_id, ""),
                "alias": each.alias,
                "extended": each.extended,
                "added_at": unix_time.milliseconds(each.added_at),
            }
            for each in found.rows
        ],
    }


def relations(caller: Caller, user_id: str, target_ids: Sequence[str]) -> dict[str, Any]:
    """Whether each of these is the user's friend (4) or not (1)."""
    found = friends.friends_among(
        environment=caller.environment, user_id=user_id, others=target_ids
    )
    return {
        "users": [
            {"user_id": other, "result": FRIENDS if other in found else STRANGERS}
            for other in target_ids
        ]
    }


def describe(
    caller: Caller,
    user_id: str,
    target_id: str,
    friend_alias: str | None,
    extended: Mapping[str, Any] | None,
) -> None:
    """Set a user's alias for a friend and custom fields about them. Without an alias, the alias is
    removed; without fields, the fields stay.
    """
    profile_words.require_prefix(extended)
    friends.describe(
        **caller.who_and_when,
        user_id=user_id,
        friend_id=target_id,
        alias=friend_alias or "",
        extended=extended,
    )


def set_permission(caller: Caller, user_ids: Sequence[str], permission: int) -> None:
    """Set who may become these users' friend. 1: anyone, 2: after approval, 3: nobody."""
    friend_permissions.change(
        **caller.who_and_when, user_ids=user_ids, permission=FriendPermission(permission)
    )


def permissions(caller: Caller, user_ids: Sequence[str]) -> dict[str, Any]:
    """Who may become these users' friend. 1: anyone, 2: after approval, 3: nobody."""
    found = friend_permissions.get_many(environment=caller.environment, user_ids=user_ids)
    return {
        "users": [
            {"user_id": user_id, "permission": permission} for user_id, permission in found.items()
        ]
    }
