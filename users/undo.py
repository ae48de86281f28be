"""Undoes deletions of test users, for 24 hours.

Invariants
----------
* Only in development, and only if a place is free and the id is neither registered again nor
  deactivated. `refusals` decides, for the verb and for pages alike.
* A user comes back as a new life: access tokens from before the deletion stay invalid.
* What was written about the id since the deletion stays: a later ban, attributes, a list.
* A row that names a second user comes back only if it could have lasted. If the other user was
  deleted since, the row moves to what is kept of that one, and comes back with both. A friendship
  needs both users to have been registered without a break.
* The environment's row is locked first, as by registrations and deletions.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import Signal

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity, kept, quota
from users.deletable import require_development
from users.fields import in_any_case
from users.friends import MAX_FRIENDS
from users.kept import Values
from users.models import (
    UNDO_FOR,
    AppUser,
    Attributes,
    DeactivatedUser,
    DeletedUser,
    DeletionItem,
    FriendRequest,
    Friendship,
    Place,
    Profile,
    Remark,
    Status,
    StatusSubscription,
    UserTags,
)

# Sent inside the transaction, with environment, rows (label of a model → the rows to put back), by
# and now. A receiver puts its rows back.
restoring = Signal()

_OWN = (UserTags, Attributes, Remark, Status, StatusSubscription, FriendRequest)
_OF_REGISTERED = {Friendship._meta.label, FriendRequest._meta.label}


class Refusal(Enum):
    """Why a deletion cannot be undone."""

    TOO_LATE = "24 hours are over: nothing is kept any more"
    UNDONE = "brought back already"
    TAKEN = "the id is registered again"
    DEACTIVATED = "the id is deactivated"
    FULL = "no place is free"


@dataclass(frozen=True)
class Undone:
    """The result for each user; `refused` is by the primary key of the `DeletedUser`."""

    restored: list[DeletedUser]
    refused: dict[int, Refusal]


def refusals(
    *,
    environment: Environment,
    deleted: Sequence[DeletedUser],
    now: datetime,
    together: bool = True,
) -> dict[int, Refusal]:
    """Which of these deletions cannot be undone now, and why, by the primary key. All others can be
    undone together: free places are given in the order of `deleted`. Without `together`, each of
    the others can be undone alone. Three queries, none without anybody.
    """
    if not deleted:
        return {}
    taken = _spellings(environment, AppUser.objects.all(), deleted)
    deactivated = _spellings(environment, DeactivatedUser.objects.all(), deleted)
    free = quota.free_places(environment)
    found: dict[int, Refusal] = {}
    for each in deleted:
        spelling = _spelling(environment, each.user_id)
        if each.undone_at is not None:
            found[each.pk] = Refusal.UNDONE
        elif each.deleted_at <= now - UNDO_FOR:
            found[each.pk] = Refusal.TOO_LATE
        elif spelling in taken:
            found[each.pk] = Refusal.TAKEN
        elif spelling in deactivated:
            found[each.pk] = Refusal.DEACTIVATED
        elif free == 0:
            found[each.pk] = Refusal.FULL
        elif together:
            taken.add(spelling)
            free = None if free is None else free - 1
    return found


def _spelling(environment: Environment, user_id: str) -> str:
    return user_id.lower() if environment.ids_ignore_case else user_id


def _spellings(
    environment: Environment, rows: QuerySet[Any], deleted: Sequence[DeletedUser]
) -> set[str]:
    ids = [each.user_id for each in deleted]
    rows = rows.filter(environment=environment)
    same = in_any_case(ids) if environment.ids_ignore_case else Q(user_id__in=ids)
    rows = rows.filter(same)
    return {_spelling(environment, user_id) for user_id in rows.values_list("user_id", flat=True)}


@transaction.atomic
def undo(*, environment: Environment, keys: Sequence[int], by: Actor, now: datetime) -> Undone:
    """Bring back those of these deleted users (primary keys of `DeletedUser`) who can be brought
    back, longest deleted first. Keys of another environment, and of what was purged, are left out.
    Raises `deletable.NotInProduction`.
    """
    require_development(environment)
    environment = Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    wanted = list(
        DeletedUser.objects.in_environment(environment)
        .filter(pk__in=keys)
        .select_for_update()
        .order_by("pk")
    )
    identity.lock(environment, [each.user_id for each in wanted])
    refused = refusals(environment=environment, deleted=wanted, now=now)
    restored = [each for each in wanted if each.pk not in refused]
    if restored:
        _restore(environment, restored, by=by, now=now)
    return Undone(restored, refused)


def _restore(
    environment: Environment, deleted: Sequence[DeletedUser], *, by: Actor, now: datetime
) -> None:
    used = AppUser.objects.filter(environment=environment).count()
    documents = {each: kept.opened(each) for each in deleted}
    _restore_users(list(documents.values()), now)
    if environment.user_limit is not None:
        quota.note_thresholds(
            environment, limit=environment.user_limit, used=used, added=len(deleted), now=now
        )
    rows = _lasting(environment, documents)
    kept.put_back(Friendship, rows[Friendship._meta.label], most=MAX_FRIENDS)
    for model in _OWN:
        kept.put_back(model, rows[model._meta.label])
    restoring.send(sender=None, environment=environment, rows=rows, by=by, now=now)
    for each in deleted:
        each.kept, each.undone_at, each.undone_by = "", now, by.name
    DeletedUser.objects.bulk_update(deleted, ["kept", "undone_at", "undone_by"])
    DeletionItem.objects.filter(
        job__in={each.job_id for each in deleted if each.job_id},
        life__in=[each.life for each in deleted],
    ).update(result=DeletionItem.Result.UNDONE)
    audit.record_many(
        AuditType.DELETION_UNDONE,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (each.user_id, {"deleted_at": each.deleted_at.isoformat(), "job": each.job_id}, None)
            for each in deleted
        ],
    )


def _restore_users(documents: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """The users get new primary keys: to tokens they are others."""
    users = [kept.row_of(AppUser, {**document["user"], "id": None}) for document in documents]
    AppUser.objects.bulk_create(users)
    for model, name in ((Profile, "profile"), (Place, "place")):
        own = [
            kept.row_of(model, {**document[name], "user_id": user.pk})
            for user, document in zip(users, documents, strict=True)
            if document[name] is not None
        ]
        for row in own:
            # A lease that has ended meanwhile would delete the user again at once.
            if isinstance(row, Place) and row.lease_until and row.lease_until <= now:
                row.lease_until = None
        model._default_manager.bulk_create(own)


def _lasting(
    environment: Environment, documents: Mapping[DeletedUser, Any]
) -> dict[str, list[Values]]:
    """The kept rows that come back, by the label of their model. The restored users are registered
    already.
    """
    restored = {each.user_id for each in documents}
    pairs = list(_rows_with_others(documents))
    others = {user_id for _, _, _, named in pairs for user_id in named} - restored
    deleted_since: dict[str, DeletedUser] = {}
    for each in (
        DeletedUser.objects.in_environment(environment)
        .filter(user_id__in=others, undone_at=None)
        .order_by("deleted_at")
    ):
        deleted_since[each.user_id] = each
    since = dict(
        AppUser.objects.filter(environment=environment, user_id__in=others).values_list(
            "user_id", "registered_at"
        )
    )
    rows: dict[str, list[Values]] = defaultdict(list)
    moved: dict[DeletedUser, list[tuple[str, Values]]] = defaultdict(list)
    for own, label, values, named in pairs:
        strangers = named - restored
        later = [
            deleted_since[user_id]
            for user_id in strangers
            if user_id in deleted_since and deleted_since[user_id].deleted_at >= own.deleted_at
        ]
        if later:
            moved[later[0]].append((label, values))
        elif label not in _OF_REGISTERED or all(
            user_id in since and since[user_id] <= own.deleted_at for user_id in strangers
        ):
            rows[label].append(values)
    _move(moved)
    return rows


def _rows_with_others(
    documents: Mapping[DeletedUser, Any],
) -> Iterator[tuple[DeletedUser, str, Values, set[str]]]:
    """(whose, label, row, the ids that it names), each row once."""
    seen: set[tuple[str, int]] = set()
    for own, document in documents.items():
        for label, values in document["rows"]:
            if (label, values["id"]) not in seen:
                seen.add((label, values["id"]))
                names = kept.id_columns_of(label)
                yield own, label, values, {values[name] for name in names}


def _move(moved: Mapping[DeletedUser, Sequence[tuple[str, Values]]]) -> None:
    for other, rows in moved.items():
        document = kept.opened(other)
        known = {(label, values["id"]) for label, values in document["rows"]}
        document["rows"] += [row for row in rows if (row[0], row[1]["id"]) not in known]
        other.kept = kept.sealed(document)
    DeletedUser.objects.bulk_update(moved, ["kept"])


def lately(*, environment: Environment, now: datetime, most: int) -> list[DeletedUser]:
    """The users deleted in the last 24 hours and not brought back, last deleted first."""
    deleted = DeletedUser.objects.in_environment(environment).undoable(now)
    return list(deleted.defer("kept").order_by("-deleted_at", "-pk")[:most])


def last_life(*, environment: Environment, user_id: str, now: datetime) -> DeletedUser | None:
    """The life of this id that was deleted last, if the time for an undo is not over."""
    deleted = DeletedUser.objects.in_environment(environment).undoable(now)
    return deleted.defer("kept").filter(user_id=user_id).order_by("-pk").first()
