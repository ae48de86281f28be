"""What RongCloud and Nexconn call the fields of hosted profiles."""

from collections.abc import Mapping
from typing import Any

from api.vendor import Caller
from users import hosted_profiles
from users.hosted_profiles import InvalidField
from users.models import Profile

_THEIRS = {"unique_id": "uniqueId", "avatar_url": "portraitUri"}
# Our name → their word, and back.
WORDS = {
    name: _THEIRS.get(name, name)
    for name in (*hosted_profiles.TEXT_FIELDS, *hosted_profiles.NUMBER_FIELDS)
}
NAMES = {word: name for name, word in WORDS.items()}
# What the names of further fields begin with.
PREFIX = "ext_"


def set_fields(
    caller: Caller,
    user_id: str,
    basic: Mapping[str, Any] | None,
    extended: Mapping[str, Any] | None,
) -> None:
    """Merge these fields into a user's profile, in the vendors' words. Raises
    `hosted_profiles.InvalidField`, which names a field by their word as well.
    """
    for word in basic or {}:
        if word not in NAMES:
            raise InvalidField(word, "unknown field")
    require_prefix(extended)
    try:
        hosted_profiles.set_fields(
            **caller.who_and_when,
            user_id=user_id,
            basic={NAMES[word]: value for word, value in (basic or {}).items()},
            extended=extended,
        )
    except InvalidField as error:
        word = WORDS.get(error.key, error.key)
        raise type(error)(word, error.message) from error


def shown(profile: Profile) -> dict[str, Any]:
    """In the vendors' words."""
    return {WORDS[name]: value for name, value in profile.basic.items()}


def require_prefix(extended: Mapping[str, Any] | None) -> None:
    """Raises `hosted_profiles.InvalidField`."""
    for key in extended or {}:
        if not key.startswith(PREFIX) or key == PREFIX:
            raise InvalidField(key, f"extended fields begin with {PREFIX}")
