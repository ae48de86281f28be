"""Friends: requests, friendships, and aliases of friends.

Invariants
----------
* A friendship has two sides, created and removed together; each side has its own alias.
* Both users are registered. `users.erasure` erases both sides when one of them goes.
* A user has at most 3,000 friends, under any concurrency: both ids are locked.
* Adding a friend again, and removing a user who is not a friend, are not errors.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.keyset import Page
from applications.models import Environment
from applications.plain_pages import PagesOfOwner
from users import erasure, hosted_profiles, identity, notices
from users.models import AppUser, FriendPermission, FriendRequest, Friendship, NoticeKind
from users.tokens import UnknownUsers, require_registered

MAX_FRIENDS, MAX_EXTENDED, ALIAS_MAX_LENGTH, MESSAGE_MAX_LENGTH = 3_000, 10, 100, 128
_PAGES = PagesOfOwner(Friendship, "id", "friend_id", "alias", "extended", "added_at")


class RefusesFriends(Exception):
    """The other user's friend permission is "nobody"."""

    def __init__(self, user_id: str):
        super().__init__(gettext("{0} accepts no friends").format(user_id))


class TooManyFriends(Exception):
    """A user would have more than `MAX_FRIENDS` friends."""

    def __init__(self, user_id: str):
        text = gettext("{} would have more than {:,} friends")
        super().__init__(text.format(user_id, MAX_FRIENDS))
        self.user_id = user_id


class BefriendsOneself(Exception):
    """Nobody is their own friend."""


class NotFriends(Exception):
    """The two users are not friends."""


class NoSuchRequest(Exception):
    """There is no such friend request; it may have been answered or erased meanwhile."""


class InvalidFriendProfile(Exception):
    """An alias or a message is invalid; the text says which and why."""


class Outcome(Enum):
    FRIENDS = "friends"
    REQUESTED = "requested"


@transaction.atomic
def add(
    *,
    environment: Environment,
    user_id: str,
    friend_id: str,
    by: Actor,
    now: datetime,
    direct: bool = False,
    always_ask: bool = False,
    message: str = "",
) -> Outcome:
    """Make the two friends, or send a friend request if the friend's permission requires approval.
    `direct` ignores the permission; `always_ask` sends a request even if it is "anyone". A request
    in the other direction makes them friends. Raises `UnknownUsers`, `BefriendsOneself`,
    `RefusesFriends`, `TooManyFriends`, `InvalidFriendProfile`.
    """
    if user_id == friend_id:
        raise BefriendsOneself(gettext("A user cannot be their own friend"))
    if not identity.is_text(message, MESSAGE_MAX_LENGTH, multiline=True):
        raise InvalidFriendProfile(f"A message is text of at most {MESSAGE_MAX_LENGTH} characters")
    pair = identity.check_user_ids([user_id, friend_id])
    identity.lock(environment, pair)
    known = {
        user.user_id: user
        for user in AppUser.objects.filter(environment=environment, user_id__in=pair)
    }
    if missing := set(pair) - set(known):
        raise UnknownUsers(missing)
    if Friendship.objects.of(environment, user_id).filter(friend_id=friend_id).exists():
        return Outcome.FRIENDS
    permission = known[friend_id].friend_permission
    asked_back = _requests(environment, sender_id=friend_id, recipient_id=user_id).exists()
    if direct or asked_back or (permission == FriendPermission.ANYONE and not always_ask):
        _befriend(environment, user_id, friend_id, by=by, now=now)
        return Outcome.FRIENDS
    if permission == FriendPermission.NOBODY:
        raise RefusesFriends(friend_id)
    FriendRequest.objects.update_or_create(
        environment=environment,
        sender_id=user_id,
        recipient_id=friend_id,
        defaults={"message": message, "requested_at": now},
    )
    asked = [(friend_id, user_id)]
    notices.post(NoticeKind.FRIEND_REQUESTED, asked, environment=environment, now=now, text=message)
    audit.record(
        AuditType.FRIEND_REQUESTED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        after={"friend": friend_id},
    )
    return Outcome.REQUESTED


@transaction.atomic
def answer(
    *,
    environment: Environment,
    user_id: str,
    sender_id: str,
    accept: bool,
    by: Actor,
    now: datetime,
) -> None:
    """Accept or decline a friend request. Raises `NoSuchRequest`, `TooManyFriends`."""
    identity.lock(environment, [user_id, sender_id])
    request = _requests(environment, sender_id=sender_id, recipient_id=user_id)
    if not request.exists():
        raise NoSuchRequest
    answered = NoticeKind.FRIEND_ACCEPTED if accept else NoticeKind.FRIEND_DECLINED
    notices.post(answered, [(sender_id, user_id)], environment=environment, now=now)
    if accept:
        _befriend(environment, user_id, sender_id, by=by, now=now)
        return
    request.delete()
    audit.record(
        AuditType.FRIEND_DECLINED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        before={"sender": sender_id},
    )


def _befriend(
    environment: Environment, user_id: str, friend_id: str, *, by: Actor, now: datetime
) -> None:
    sides = ((user_id, friend_id), (friend_id, user_id))
    for owner_id, _ in sides:
        if Friendship.objects.of(environment, owner_id).count() >= MAX_FRIENDS:
            raise TooManyFriends(owner_id)
    Friendship.objects.bulk_create(
        Friendship(environment=environment, owner_id=owner_id, friend_id=other_id, added_at=now)
        for owner_id, other_id in sides
    )
    for owner_id, other_id in sides:
        _requests(environment, sender_id=owner_id, recipient_id=other_id).delete()
    notices.post(NoticeKind.FRIEND_ADDED, sides, environment=environment, now=now)
    audit.record(
        AuditType.FRIEND_ADDED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        after={"friend": friend_id},
    )


@transaction.atomic
def remove(
    *, environment: Environment, user_id: str, friend_ids: Iterable[str], by: Actor, now: datetime
) -> list[str]:
    """Remove these friends, both sides; return those who were friends. Raises `UnknownUsers`."""
    wanted = identity.check_user_ids(friend_ids)
    identity.lock(environment, [user_id, *wanted])
    require_registered(environment, [user_id])
    mine = Friendship.objects.of(environment, user_id).filter(friend_id__in=wanted)
    return _remove(environment, user_id, list(mine.values_list("friend_id", flat=True)), by, now)


@transaction.atomic
def remove_all(*, environment: Environment, user_id: str, by: Actor, now: datetime) -> list[str]:
    """Remove all friends of a user; return them. Raises `UnknownUsers`."""
    identity.lock(environment, [user_id])
    require_registered(environment, [user_id])
    mine = Friendship.objects.of(environment, user_id)
    return _remove(environment, user_id, list(mine.values_list("friend_id", flat=True)), by, now)


def _remove(
    environment: Environment, user_id: str, friend_ids: list[str], by: Actor, now: datetime
) -> list[str]:
    sides = Friendship.objects.filter(
        Q(owner_id=user_id, friend_id__in=friend_ids)
        | Q(friend_id=user_id, owner_id__in=friend_ids),
        environment=environment,
    )
    erasure.delete_rows(sides, [])
    if friend_ids:
        told = [(friend_id, user_id) for friend_id in friend_ids]
        notices.post(NoticeKind.FRIEND_REMOVED, told, environment=environment, now=now)
        audit.record(
            AuditType.FRIEND_REMOVED,
            environment=environment,
            subject=user_id,
            by=by,
            now=now,
            before={"friends": friend_ids},
        )
    return friend_ids


def page(
    *,
    environment: Environment,
    user_id: str,
    cursor: str = "",
    size: int,
    newest_first: bool = False,
) -> Page[Any]:
    """One page of a user's friends in the order of adding: rows with the columns of `_PAGES`."""
    return _PAGES.page(environment, user_id, cursor=cursor, size=size, newest_first=newest_first)


def count(*, environment: Environment, user_id: str) -> int:
    """How many friends a user has; `MAX_FRIENDS` at most."""
    return Friendship.objects.of(environment, user_id).count()


def friends_among(*, environment: Environment, user_id: str, others: Iterable[str]) -> set[str]:
    """Those of `others` who are the user's friends."""
    return set(
        Friendship.objects.of(environment, user_id)
        .filter(friend_id__in=list(others))
        .values_list("friend_id", flat=True)
    )


@transaction.atomic
def describe(
    *,
    environment: Environment,
    user_id: str,
    friend_id: str,
    by: Actor,
    now: datetime,
    alias: str | None = None,
    extended: Mapping[str, Any] | None = None,
) -> None:
    """Set a friend's alias and extended fields. None leaves a value as it is, "" and {} clear it.

    Raises `NotFriends`, `InvalidFriendProfile`, `hosted_profiles.InvalidField`.
    """
    after: dict[str, Any] = {}
    if alias is not None:
        if not identity.is_text(alias, ALIAS_MAX_LENGTH):
            raise InvalidFriendProfile(f"An alias is text of at most {ALIAS_MAX_LENGTH} characters")
        after["alias"] = alias
    if extended is not None:
        after["extended"] = hosted_profiles.check_extended(extended, most=MAX_EXTENDED)
    friendship = (
        Friendship.objects.of(environment, user_id)
        .select_for_update()
        .filter(friend_id=friend_id)
        .first()
    )
    if friendship is None:
        raise NotFriends(gettext("{0} and {1} are not friends").format(user_id, friend_id))
    before = {field: getattr(friendship, field) for field in after}
    if before != after:
        Friendship.objects.filter(pk=friendship.pk).update(**after)
        audit.record(
            AuditType.FRIEND_DESCRIBED,
            environment=environment,
            subject=user_id,
            by=by,
            now=now,
            before={"friend": friend_id, **before},
            after={"friend": friend_id, **after},
        )


def _requests(environment: Environment, *, sender_id: str, recipient_id: str) -> Any:
    return FriendRequest.objects.filter(
        environment=environment, sender_id=sender_id, recipient_id=recipient_id
    )
