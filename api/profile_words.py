"""RongCloud's and Nexconn's names of the fields of hosted profiles."""

from collections.abc import Mapping
from typing import Any

from api.vendor import Caller
from users import hosted_profiles
from users.hosted_profiles import InvalidField
from users.models import Profile

_VENDOR_WORDS = {"unique_id": "uniqueId", "avatar_url": "portraitUri"}
# Our name → the vendors' name, and back.
WORDS = {
    name: _VENDOR_WORDS.get(name, name)
    for name in (*hosted_profiles.TEXT_FIELDS, *hosted_profiles.NUMBER_FIELDS)
}
NAMES = {word: name for name, word in WORDS.items()}
# Names of custom fields begin with it.
PREFIX = "ext_"


def set_fields(
    caller: Caller,
    user_id: str,
    basic: Mapping[str, Any] | None,
    extended: Mapping[str, Any] | None,
) -> None:
    """Merge these fields, under the vendors' names, into a user's profile. Raises
    `hosted_profiles.InvalidField` with the vendors' name of the field.
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


def in_vendor_words(profile: Profile) -> dict[str, Any]:
    """The profile's basic fields under the vendors' names."""
    return {WORDS[name]: value for name, value in profile.basic.items()}


def require_prefix(extended: Mapping[str, Any] | None) -> None:
    """Raises `hosted_profiles.InvalidField`."""
    for key in extended or {}:
        if not key.startswith(PREFIX) or key == PREFIX:
            raise InvalidField(key, f"extended fields begin with {PREFIX}")
