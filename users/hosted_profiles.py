"""Hosted profiles: profile fields of users that an application stores on the server.

Invariants
----------
* Basic fields have known names and bounds. Extended fields have names that the application chooses;
  a profile has at most 20.
* Setting merges: other fields keep their values.
* A profile is erased with its user.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity
from users.models import AppUser, AppUserQuerySet, Profile
from users.tokens import UnknownUsers

# Field → maximum length in characters, and for numbers the range.
TEXT_FIELDS = {
    "unique_id": 32,
    "name": 64,
    "avatar_url": 1024,
    "email": 128,
    "birthday": 32,
    "location": 32,
}
NUMBER_FIELDS = {"gender": range(3), "role": range(101), "level": range(101)}
MAX_EXTENDED = 20
EXTENDED_KEY_MAX_LENGTH = 32
EXTENDED_VALUE_MAX_LENGTH = 256
_NUMBER = re.compile(r"[0-9]{1,3}")
_EXTENDED_KEY = re.compile(rf"[A-Za-z0-9_]{{1,{EXTENDED_KEY_MAX_LENGTH}}}", re.ASCII)


class InvalidField(Exception):
    """The field `key` is unknown, or its value is out of bounds."""

    def __init__(self, key: str, message: str):
        super().__init__(f"{key}: {message}")
        self.key, self.message = key, message


class FieldTooLong(InvalidField):
    """A key or a value is longer than it may be."""


class TooManyFields(InvalidField):
    """`key` is the first field beyond the limit."""


def _check_basic(fields: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in fields.items():
        if key in TEXT_FIELDS:
            checked[key] = _checked_text(key, value, TEXT_FIELDS[key])
        elif key in NUMBER_FIELDS:
            allowed = NUMBER_FIELDS[key]
            number = int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
            if type(number) is not int or number not in allowed:
                raise InvalidField(key, f"a number from {allowed[0]} to {allowed[-1]}")
            checked[key] = number
        else:
            raise InvalidField(key, "unknown field")
    return checked


def check_extended(fields: Mapping[str, Any], *, most: int = MAX_EXTENDED) -> dict[str, str]:
    """Validate extended fields and return them. Raises `InvalidField`."""
    for key, value in fields.items():
        if not _EXTENDED_KEY.fullmatch(key):
            kind = FieldTooLong if len(key) > EXTENDED_KEY_MAX_LENGTH else InvalidField
            raise kind(
                key,
                "names of extended fields are letters, digits and _, at most "
                f"{EXTENDED_KEY_MAX_LENGTH} characters",
            )
        _checked_text(key, value, EXTENDED_VALUE_MAX_LENGTH)
    if len(fields) > most:
        raise TooManyFields(list(fields)[most], f"at most {most} extended fields")
    return dict(fields)


def _checked_text(key: str, value: object, most: int) -> str:
    if not isinstance(value, str) or not identity.is_text(value, most):
        too_long = isinstance(value, str) and len(value) > most
        raise (FieldTooLong if too_long else InvalidField)(
            key, f"text of at most {most} characters"
        )
    return value


@transaction.atomic
def set_fields(
    *,
    environment: Environment,
    user_id: str,
    by: Actor,
    now: datetime,
    basic: Mapping[str, Any] | None = None,
    extended: Mapping[str, Any] | None = None,
) -> None:
    """Merge these fields into the profile. Raises `UnknownUsers`, `InvalidField`."""
    new_basic, new_extended = _check_basic(basic or {}), check_extended(extended or {})
    user = (
        AppUser.objects.select_for_update().filter(environment=environment, user_id=user_id).first()
    )
    if user is None:
        raise UnknownUsers([user_id])
    version = int(now.astimezone(UTC).timestamp() * 1000)
    profile, _ = Profile.objects.get_or_create(user=user, defaults={"version": version})
    before = {**profile.basic, **profile.extended}
    profile.basic = {**profile.basic, **new_basic}
    profile.extended = check_extended({**profile.extended, **new_extended})
    if {**profile.basic, **profile.extended} == before:
        return
    profile.version = version
    profile.save()
    audit.record(
        AuditType.PROFILE_CHANGED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        before={key: before.get(key) for key in (*new_basic, *new_extended)},
        after={**new_basic, **new_extended},
    )


@transaction.atomic
def clear(*, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime) -> None:
    """Remove these users' profiles. Users without a profile and unregistered ids are skipped."""
    wanted = identity.check_user_ids(user_ids)
    profiles = Profile.objects.filter(user__environment=environment, user__user_id__in=wanted)
    cleared = list(profiles.values_list("user__user_id", flat=True))
    profiles.delete()
    audit.record_many(
        AuditType.PROFILE_CLEARED,
        environment=environment,
        by=by,
        now=now,
        changes=[(user_id, None, None) for user_id in cleared],
    )


def users_with_profile(environment: Environment) -> AppUserQuerySet:
    """The users who have a profile."""
    return AppUser.objects.in_environment(environment).filter(profile__isnull=False)


def get_many(*, environment: Environment, user_ids: Iterable[str]) -> list[Profile]:
    """The profiles of these users, in the order given; users without a profile are skipped."""
    wanted = list(dict.fromkeys(user_ids))
    found = {
        profile.user.user_id: profile
        for profile in Profile.objects.filter(
            user__environment=environment, user__user_id__in=wanted
        ).select_related("user")
    }
    return [found[user_id] for user_id in wanted if user_id in found]
