"""What is kept about a user, and goes with them.

Invariants
----------
* What this storey keeps and what storeys above keep (bans, lists) goes in the transaction in which
  the user goes. This storey must not know those above: it announces by `erasing`, and they listen.
* Of a deactivated user, everything goes at once but messages, of which there may be very many.
  From the same commit on `users.messages` gives none of them out; a worker erases them.
* Rows are locked in the order of their keys, and no table is gone through twice for one
  deactivation: users on each other's lists, erased side by side, do not wait in a ring. (Deletions
  queue at their environment anyway.)
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import Enum
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.dispatch import Signal

from applications.models import Environment
from users.models import (
    Attributes,
    FriendRequest,
    Friendship,
    Message,
    Remark,
    Status,
    StatusSubscription,
    UserTags,
)

# Sent inside the transaction, with environment, user_ids, occasion and now. A receiver erases what
# it keeps and answers with {what: {user_id: how many}}. If one fails, nothing happens at all.
erasing = Signal()

_AT_ONCE = 10_000

Counts = dict[str, Counter[str]]


class Occasion(Enum):
    """Why the data goes; decides how far a receiver must reach."""

    # The user was never there: nothing that names them stays.
    DELETION = "deletion"
    # The person's own data goes. What protects others from them stays (bans, entries in other
    # people's lists), or deactivation would be a way out.
    DEACTIVATION = "deactivation"


def erase(
    *, environment: Environment, user_ids: list[str], occasion: Occasion, now: datetime
) -> dict[str, dict[str, int]]:
    """What was erased: user_id → word → count, without zeros."""
    erased: dict[str, dict[str, int]] = defaultdict(dict)
    for counts in _erase_each(environment, user_ids, occasion, now):
        for word, by_user in counts.items():
            for user_id, number in by_user.items():
                erased[user_id][word] = number
    return erased


def _erase_each(
    environment: Environment, user_ids: list[str], occasion: Occasion, now: datetime
) -> Iterable[Counts]:
    yield _erase_own(environment, user_ids, occasion)
    for _, counts in erasing.send(
        sender=None, environment=environment, user_ids=user_ids, occasion=occasion, now=now
    ):
        yield cast(Counts, counts)


def _erase_own(environment: Environment, user_ids: list[str], occasion: Occasion) -> Counts:
    """All of it is the person's own, whatever the occasion; only what others call a deactivated
    user is theirs.
    """
    here, is_deletion = {"environment": environment}, occasion is Occasion.DELETION
    owned = Q(owner_id__in=user_ids)
    remarks = owned | Q(about_id__in=user_ids) if is_deletion else owned
    sides = owned | Q(friend_id__in=user_ids)
    asked = Q(sender_id__in=user_ids) | Q(recipient_id__in=user_ids)
    erased = {
        "friends": delete_rows(Friendship.objects.filter(sides, **here), user_ids, "owner_id"),
        "friend requests": delete_rows(
            FriendRequest.objects.filter(asked, **here), user_ids, "sender_id", "recipient_id"
        ),
        "tags": delete_rows(UserTags.objects.filter(owned, **here), user_ids, "owner_id"),
        "attributes": delete_rows(Attributes.objects.filter(owned, **here), user_ids, "owner_id"),
        "remarks": delete_rows(Remark.objects.filter(remarks, **here), user_ids, "owner_id"),
        "statuses": delete_rows(Status.objects.filter(owned, **here), user_ids, "owner_id"),
        "status subscriptions": delete_rows(
            StatusSubscription.objects.filter(owned | Q(about_id__in=user_ids), **here),
            user_ids,
            "owner_id",
            "about_id",
        ),
    }
    if is_deletion:
        erased["messages"] = erase_messages(environment=environment, user_ids=user_ids)
    return erased


def erase_messages(*, environment: Environment, user_ids: list[str]) -> Counter[str]:
    """Messages from and to these users, given out or not; user_id → how many."""
    involved = Q(sender_id__in=user_ids) | Q(recipient_id__in=user_ids)
    rows = Message.objects.filter(involved, environment=environment)
    return delete_rows(rows, user_ids, "sender_id", "recipient_id")


def delete_rows(rows: QuerySet[Any], user_ids: Collection[str], *columns: str) -> Counter[str]:
    """Delete rows in the order of their keys; how many of them name each of the users in one of
    `columns`.
    """
    wanted, counts, last = set(user_ids), Counter[str](), 0
    ordered = rows.select_for_update().order_by("pk")
    while batch := list(ordered.filter(pk__gt=last).values_list("pk", *columns)[:_AT_ONCE]):
        rows.model._base_manager.filter(pk__in=[key for key, *_ in batch]).delete()
        for key, *named in batch:
            counts.update(wanted.intersection(named))
            last = key
    return counts
