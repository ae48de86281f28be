"""The field for user ids, and the UUIDs of users."""

import os
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import In

from applications import unix_time
from applications.fields import IdentifierField

USER_ID_MAX_LENGTH = 64  # bytes, and characters: the allowed ones are ASCII


class UserIdField(IdentifierField):
    """A `user_id`, registered or not; `users.identity` validates it."""

    def __init__(self, **options: Any):
        super().__init__(**{"max_length": USER_ID_MAX_LENGTH, **options})


def time_ordered_uuid(moment: datetime) -> UUID:
    """A UUID of version 7 (RFC 9562). It begins with the moment in milliseconds, so that new ones
    go to the end of an index; a random one changes another page of it each time.
    """
    milliseconds = unix_time.milliseconds(moment)
    tail = int.from_bytes(os.urandom(10)) >> 6
    return UUID(
        int=milliseconds << 80 | 7 << 76 | (tail >> 62) << 64 | 2 << 62 | tail & (1 << 62) - 1
    )


def begins_with(prefix: str, field: str = "user_id") -> Q:
    """Ids that begin with `prefix`, as a range that the index serves."""
    # DEL is the last ASCII character, and no id has it.
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": prefix + "\x7f"})


def in_any_case(user_ids: Iterable[str]) -> Q:
    """These ids, ignoring case; an index on `Lower("user_id")` serves it."""
    return Q(In(Lower("user_id"), sorted({user_id.lower() for user_id in user_ids})))
