"""Erases the data of users who are deleted or deactivated.

Invariants
----------
* Data of this app and of the apps above it (bans, lists) is erased in the transaction that deletes
  the user. This app must not import those above it: it sends the signal `erasing`.
* For a deactivated user, messages are an exception, because there may be very many. From the same
  commit on, `users.messages` delivers none of them; a worker erases them.
* Rows are locked in the order of their keys, and each table is visited once per deactivation, so
  that concurrent deactivations of users on each other's lists do not deadlock. (Deletions in one
  environment are serialised anyway.)
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import Enum
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.dispatch import Signal

from applications.models import Environment
from users.kept import Kept
from users.kept import columns as all_columns
from users.models import (
    Attributes,
    DeletedUser,
    FriendRequest,
    Friendship,
    Message,
    Notice,
    Remark,
    Status,
    StatusSubscription,
    UserTags,
)

# Sent inside the transaction, with environment, user_ids, occasion, now and kept. A receiver erases
# its data with `delete_rows` and returns {what: {user_id: number of rows}}. If a receiver raises,
# the transaction is rolled back.
erasing = Signal()

_AT_ONCE = 10_000

Counts = dict[str, Counter[str]]


class Occasion(Enum):
    """Why the data is erased, which decides how much a receiver must erase."""

    # Everything that names the user.
    DELETION = "deletion"
    # The user's own data. What protects others from the user stays (bans, entries in other users'
    # lists), so that deactivation is no way out of it.
    DEACTIVATION = "deactivation"


def erase(
    *,
    environment: Environment,
    user_ids: list[str],
    occasion: Occasion,
    now: datetime,
    kept: Kept | None = None,
) -> dict[str, dict[str, int]]:
    """Erase these users' data. Returns user_id → what → number of rows, without zeros. `kept` gets
    the rows, except messages.
    """
    erased: dict[str, dict[str, int]] = defaultdict(dict)
    for counts in _erase_each(environment, user_ids, occasion, now, kept):
        for what, by_user in counts.items():
            for user_id, number in by_user.items():
                erased[user_id][what] = number
    return erased


def _erase_each(
    environment: Environment,
    user_ids: list[str],
    occasion: Occasion,
    now: datetime,
    kept: Kept | None,
) -> Iterable[Counts]:
    yield _erase_own(environment, user_ids, occasion, kept)
    for _, counts in erasing.send(
        sender=None,
        environment=environment,
        user_ids=user_ids,
        occasion=occasion,
        now=now,
        kept=kept,
    ):
        yield cast(Counts, counts)


def _erase_own(
    environment: Environment, user_ids: list[str], occasion: Occasion, kept: Kept | None
) -> Counts:
    """Erase this app's data about the users. On deactivation, other users' remarks about them stay,
    and what was kept of earlier lives goes too.
    """

    def delete(rows: QuerySet[Any], *columns: str) -> Counter[str]:
        return delete_rows(rows, user_ids, *columns, kept=kept)

    here, is_deletion = {"environment": environment}, occasion is Occasion.DELETION
    owned = Q(owner_id__in=user_ids)
    remarks = owned | Q(about_id__in=user_ids) if is_deletion else owned
    sides = owned | Q(friend_id__in=user_ids)
    asked = Q(sender_id__in=user_ids) | Q(recipient_id__in=user_ids)
    erased = {
        "friends": delete(Friendship.objects.filter(sides, **here), "owner_id"),
        "friend requests": delete(
            FriendRequest.objects.filter(asked, **here), "sender_id", "recipient_id"
        ),
        # Waiting notices are as short-lived as messages: `kept` does not get them.
        "notices": delete_rows(
            Notice.objects.filter(asked, **here), user_ids, "sender_id", "recipient_id"
        ),
        "tags": delete(UserTags.objects.filter(owned, **here), "owner_id"),
        "attributes": delete(Attributes.objects.filter(owned, **here), "owner_id"),
        "remarks": delete(Remark.objects.filter(remarks, **here), "owner_id"),
        "statuses": delete(Status.objects.filter(owned, **here), "owner_id"),
        "status subscriptions": delete(
            StatusSubscription.objects.filter(owned | Q(about_id__in=user_ids), **here),
            "owner_id",
            "about_id",
        ),
    }
    if is_deletion:
        erased["messages"] = erase_messages(environment=environment, user_ids=user_ids)
    elif environment.is_development:
        DeletedUser.objects.filter(user_id__in=user_ids, **here).delete()
    return erased


def erase_messages(*, environment: Environment, user_ids: list[str]) -> Counter[str]:
    """Erase messages from and to these users, delivered or not. Returns user_id → number."""
    involved = Q(sender_id__in=user_ids) | Q(recipient_id__in=user_ids)
    rows = Message.objects.filter(involved, environment=environment)
    return delete_rows(rows, user_ids, "sender_id", "recipient_id")


def delete_rows(
    rows: QuerySet[Any], user_ids: Collection[str], *columns: str, kept: Kept | None = None
) -> Counter[str]:
    """Delete rows in the order of their keys, and hand them to `kept`. Returns user_id → number of
    rows that have this user in one of `columns`.
    """
    wanted, counts, last = set(user_ids), Counter[str](), 0
    read = ("id", *columns) if kept is None else all_columns(rows.model)
    ordered = rows.select_for_update().order_by("pk")
    while True:
        batch = list(ordered.filter(pk__gt=last).values(*read)[:_AT_ONCE])
        if batch:
            rows.model._base_manager.filter(pk__in=[row["id"] for row in batch]).delete()
        if kept is not None:
            kept.add(rows.model, batch)
        for row in batch:
            counts.update(wanted.intersection(row[column] for column in columns))
            last = row["id"]
        if len(batch) < _AT_ONCE:
            return counts
