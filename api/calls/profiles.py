"""Hosted profiles."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api import offset_paging, profile_words
from api.calls.users import BY_REGISTRATION, LAST_REGISTERED_FIRST
from api.vendor import Caller
from users import hosted_profiles
from users.models import Profile


def set_fields(
    caller: Caller,
    user_id: str,
    basic: Mapping[str, Any] | None,
    extended: Mapping[str, Any] | None,
) -> None:
    """Merge these fields into a user's profile."""
    profile_words.set_fields(caller, user_id, basic, extended)


def clear(caller: Caller, user_ids: Sequence[str]) -> None:
    """Remove these users' profiles. Users without one are skipped."""
    hosted_profiles.clear(**caller.who_and_when, user_ids=user_ids)


def of_users(caller: Caller, user_ids: Sequence[str]) -> dict[str, Any]:
    """These users' profiles. Users without one are left out."""
    found = hosted_profiles.get_many(environment=caller.environment, user_ids=user_ids)
    return _shown(found)


def page(caller: Caller, page: int, size: int, order: int) -> dict[str, Any]:
    """All profiles, in the order of registration; order 1 reverses it."""
    users = offset_paging.page(
        hosted_profiles.users_with_profile(caller.environment),
        *(LAST_REGISTERED_FIRST if order else BY_REGISTRATION),
        number=page,
        size=size,
    )
    return of_users(caller, [user.user_id for user in users])


def _shown(profiles: Iterable[Profile]) -> dict[str, Any]:
    return {
        "users": [
            {
                "user_id": profile.user.user_id,
                "version": profile.version,
                "basic": profile_words.in_vendor_words(profile),
                "extended": profile.extended,
            }
            for profile in profiles
        ]
    }
