"""The tags that select the receivers of push notices."""

from collections.abc import Sequence
from typing import Any

from api.vendor import Caller
from users import tags as domain


def set_tags(caller: Caller, user_ids: Sequence[str], tags: Sequence[str]) -> None:
    """Replace the tags of each of these users."""
    domain.set_tags(**caller.who_and_when, user_ids=user_ids, tags=tags)


def tags_of(caller: Caller, user_ids: Sequence[str]) -> dict[str, Any]:
    """The tags of these users."""
    found = domain.tags_of(environment=caller.environment, user_ids=user_ids)
    return {
        "by_user": found,
        "users": [{"user_id": user_id, "tags": tags} for user_id, tags in found.items()],
    }
