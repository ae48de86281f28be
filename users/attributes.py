"""Attributes: small key-value pairs that clients store on the server for a user.

Invariants
----------
* At most 2 KB per user, as JSON without whitespace; an empty value removes its key.
* The user need not be registered.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity
from users.models import Attributes

MAX_BYTES = 2_048


class AttributesTooLarge(Exception):
    """The user's attributes would take more than `MAX_BYTES`."""

    def __init__(self) -> None:
        super().__init__(
            gettext("A user's attributes take at most {max_bytes:,} bytes").format(
                max_bytes=MAX_BYTES
            )
        )


class InvalidAttribute(Exception):
    """A key or value that cannot be stored."""


@transaction.atomic
def merge(
    *,
    environment: Environment,
    user_id: str,
    values: Mapping[str, str],
    by: Actor,
    now: datetime,
) -> dict[str, str]:
    """Merge these into the user's attributes; return all of them.

    Raises `AttributesTooLarge`, `InvalidAttribute`.
    """
    identity.check_user_id(user_id)
    for key, value in values.items():
        if not key or not identity.is_text(key, MAX_BYTES, multiline=True):
            raise InvalidAttribute(gettext("The key of an attribute is text, not empty"))
        if not identity.is_text(value, MAX_BYTES, multiline=True):
            raise AttributesTooLarge
    identity.lock(environment, [user_id])
    before = get(environment=environment, user_id=user_id)
    after = {key: value for key, value in {**before, **values}.items() if value != ""}
    size = _size(after)
    if size > MAX_BYTES:
        raise AttributesTooLarge
    Attributes.objects.update_or_create(
        environment=environment, owner_id=user_id, defaults={"values": after, "size": size}
    )
    if before != after:
        audit.record(
            AuditType.ATTRIBUTES_CHANGED,
            environment=environment,
            subject=user_id,
            by=by,
            now=now,
            before={key: before.get(key) for key in values},
            after={key: after.get(key) for key in values},
        )
    return after


def _size(values: Mapping[str, str]) -> int:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) if values else 0


@transaction.atomic
def clear(*, environment: Environment, user_id: str, by: Actor, now: datetime) -> None:
    """Remove all attributes of a user. It is not an error if there are none."""
    removed, _ = Attributes.objects.filter(environment=environment, owner_id=user_id).delete()
    if removed:
        audit.record(
            AuditType.ATTRIBUTES_CLEARED, environment=environment, subject=user_id, by=by, now=now
        )


def get(*, environment: Environment, user_id: str) -> dict[str, str]:
    return get_many(environment=environment, user_ids=[user_id]).get(user_id, {})


def get_many(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """user_id → attributes, for those who have any."""
    rows = Attributes.objects.filter(environment=environment, owner_id__in=list(user_ids))
    return dict(rows.values_list("owner_id", "values"))


def bytes_used(*, environment: Environment) -> int:
    """The size of all attributes in the environment."""
    return Attributes.objects.filter(environment=environment).aggregate(sum=Sum("size"))["sum"] or 0
