"""The column that names a user."""

from typing import Any

from django.db.models import Q

from applications.fields import IdentifierField

USER_ID_MAX_LENGTH = 64  # bytes; the allowed characters take one each


class UserIdField(IdentifierField):
    """A `user_id`, registered or not; `users.identity` says which text is one."""

    def __init__(self, **options: Any):
        super().__init__(**{"max_length": USER_ID_MAX_LENGTH, **options})


def begins_with(prefix: str, field: str = "user_id") -> Q:
    """Ids that begin so, as a range that the index serves."""
    # DEL is the last ASCII character, and no id has it.
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": prefix + "\x7f"})
