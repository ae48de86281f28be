"""What is kept of deleted test users for 24 hours, so that `users.undo` can bring them back.

Invariants
----------
* One encrypted document for each user. Nothing that answers a call reads it: to every API and every
  other page the user does not exist. A reader of the database cannot read it.
* It has the user, and each row that names the user, of any app: `erasure.delete_rows` hands them
  over as it deletes them. Messages and connections are not kept.
* A sweep purges it after 24 hours; a deactivation of the id does so at once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Count, Model

from applications import vault
from applications.models import Environment
from users.fields import UserIdField
from users.models import AppUser, DeletedUser, DeletionJob, Place, Profile

PURGED_AT_ONCE = 1_000
_STORED_AT_ONCE = 500

Values = dict[str, Any]  # a row: column → value, as JSON


class Kept:
    """The rows that a deletion takes away, by the deleted users whom they name."""

    def __init__(self, user_ids: Iterable[str]) -> None:
        self.rows: dict[str, list[tuple[str, Mapping[str, Any]]]] = {
            user_id: [] for user_id in user_ids
        }

    def add(self, model: type[Model], rows: Iterable[Mapping[str, Any]]) -> None:
        """`rows` have all columns of the model."""
        label, ids = model._meta.label, id_columns(model)
        for row in rows:
            for user_id in {row[column] for column in ids}:
                if user_id in self.rows:
                    self.rows[user_id].append((label, row))


def columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if not field.generated]


def id_columns(model: type[Model]) -> list[str]:
    """The columns that name users by their ids."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields if isinstance(field, UserIdField)]


def id_columns_of(label: str) -> list[str]:
    return id_columns(apps.get_model(label))


def store(
    *,
    environment: Environment,
    users: Sequence[AppUser],
    kept: Kept,
    job: DeletionJob | None,
    by: str,
    now: datetime,
) -> None:
    """Keep these users, before their own rows are deleted, and the rows that were handed over."""
    lives, names = [user.pk for user in users], columns(AppUser)
    profiles = _by_user(Profile, lives)
    places = _by_user(Place, lives)
    DeletedUser.objects.bulk_create(
        (
            DeletedUser(
                environment=environment,
                user_id=user.user_id,
                life=user.pk,
                job=job,
                deleted_at=now,
                deleted_by=by,
                kept=sealed(
                    {
                        "user": {name: getattr(user, name) for name in names},
                        "profile": profiles.get(user.pk),
                        "place": places.get(user.pk),
                        "rows": kept.rows[user.user_id],
                    }
                ),
            )
            for user in users
        ),
        batch_size=_STORED_AT_ONCE,
    )


def _by_user(model: type[Model], lives: list[int]) -> dict[int, Values]:
    rows = model._default_manager.filter(pk__in=lives).values(*columns(model))
    return {row["user_id"]: row for row in rows}


def _encoded(value: object) -> str:
    """With microseconds, which Django's own encoder cuts off."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def sealed(document: Mapping[str, Any]) -> str:
    return vault.encrypt(json.dumps(document, separators=(",", ":"), default=_encoded))


def opened(deleted: DeletedUser) -> Any:
    """The document of a deleted user that was not undone."""
    return json.loads(vault.decrypt_once(deleted.kept))


def row_of(model: type[Model], values: Mapping[str, Any]) -> Any:
    """The unsaved row. Columns that the model no longer has are left out, new ones get defaults."""
    return model(
        **{
            field.attname: field.to_python(values[field.attname])
            for field in model._meta.concrete_fields
            if field.attname in values and not field.generated
        }
    )


def put_back(
    model: type[Model], rows: Iterable[Mapping[str, Any]], *, most: int | None = None
) -> None:
    """Insert rows as they were, also their keys. Where something was written in a row's place
    meanwhile, that stays; an owner's list gets no longer than `most`.
    """
    found = [row_of(model, values) for values in rows]
    if most is not None and found:
        found = _fitting(model, found, most)
    model._default_manager.bulk_create(found, ignore_conflicts=True, batch_size=_STORED_AT_ONCE)


def _fitting(model: type[Model], rows: list[Any], most: int) -> list[Any]:
    lists = model._default_manager.filter(
        environment=rows[0].environment_id, owner_id__in={row.owner_id for row in rows}
    )
    lengths = dict(lists.values_list("owner_id").annotate(Count("pk")).order_by())
    fitting = []
    for row in sorted(rows, key=lambda row: row.pk):
        lengths[row.owner_id] = lengths.get(row.owner_id, 0) + 1
        if lengths[row.owner_id] <= most:
            fitting.append(row)
    return fitting


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Delete what was kept for 24 hours; return how much. Safe to run twice or concurrently."""
    over = DeletedUser.objects.over(now).select_for_update(skip_locked=True)
    keys = list(over.order_by("deleted_at").values_list("pk", flat=True)[:PURGED_AT_ONCE])
    DeletedUser.objects.filter(pk__in=keys).delete()
    return len(keys)
