"""A user's name and avatar, as push notifications show them, and their push settings."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from applications.statements import Statement
from users import identity
from users.models import AppUser
from users.tokens import UnknownUsers

PUSH_SETTINGS_MAX_BYTES = 4_096
# Keys of the push settings. The daily quiet period is {"start": "22:00:00", "minutes": 480,
# "level": 1}; level 0 still notifies of every message, 1 of mentions only, 5 of nothing.
QUIET_PERIOD = "quiet_period"
# The devices that get push notifications, newest first: `PushDevice` as a dict.
PUSH_DEVICES = "push_devices"
MAX_PUSH_DEVICES = 10


@dataclass(frozen=True)
class PushDevice:
    """A device's push token, and the name of the certificate to push with. The id is "" if the
    client gave none; an empty token removes the device.
    """

    device_id: str
    device_token: str
    notifier_name: str


def names_of(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, str]:
    """user_id → name, for registered ids."""
    users = AppUser.objects.filter(environment=environment, user_id__in=list(user_ids))
    return dict(users.values_list("user_id", "name"))


def get(*, environment: Environment, user_id: str) -> AppUser:
    """A registered user. Raises `UnknownUsers`."""
    user = AppUser.objects.filter(environment=environment, user_id=user_id).first()
    if user is None:
        raise UnknownUsers([user_id])
    return user


class Basics(NamedTuple):
    name: str
    avatar_url: str
    registered_at: datetime


_BASICS = Statement(
    "SELECT name, avatar_url, registered_at FROM users_appuser"
    " WHERE environment_id = %s AND user_id = %s"
)


def basics(*, environment: Environment, user_id: str) -> Basics:
    """The basics of a registered user. Raises `UnknownUsers`."""
    row = _BASICS.row(environment.pk, user_id)
    if row is None:
        raise UnknownUsers([user_id])
    return Basics(*row)


@transaction.atomic
def update(
    *,
    environment: Environment,
    user_id: str,
    by: Actor,
    now: datetime,
    name: str | None = None,
    avatar_url: str | None = None,
    push_settings: Mapping[str, Any] | None = None,
    push_device: PushDevice | None = None,
) -> AppUser:
    """Change a user; None leaves a value as it is. Push settings are merged into the existing ones,
    and an empty text removes one. A push device replaces the one with the same id; beyond
    `MAX_PUSH_DEVICES`, the oldest is removed. Raises `UnknownUsers`, `identity.InvalidProfile`.
    """
    identity.check_profile(name=name, avatar_url=avatar_url)
    user = (
        AppUser.objects.select_for_update()
        .filter(environment=environment, user_id=identity.check_user_id(user_id))
        .first()
    )
    if user is None:
        raise UnknownUsers([user_id])
    given: dict[str, Any] = {"name": name, "avatar_url": avatar_url}
    if push_settings is not None or push_device is not None:
        given["push_settings"] = _merged(user.push_settings, push_settings or {}, push_device)
    after = {
        field: value
        for field, value in given.items()
        if value is not None and getattr(user, field) != value
    }
    if after:
        before = {field: getattr(user, field) for field in after}
        for field, value in after.items():
            setattr(user, field, value)
        user.changed_at = now
        user.save(update_fields=[*after, "changed_at"])
        audit.record(
            AuditType.USER_UPDATED,
            environment=environment,
            subject=user_id,
            by=by,
            now=now,
            before=before,
            after=after,
        )
    return user


def _merged(
    before: Mapping[str, Any], wanted: Mapping[str, Any], device: PushDevice | None
) -> dict[str, Any]:
    after = {key: value for key, value in {**before, **wanted}.items() if value != ""}
    devices = after.pop(PUSH_DEVICES, [])
    if len(json.dumps(after)) > PUSH_SETTINGS_MAX_BYTES:
        raise identity.InvalidProfile("push_settings", "Too many push settings")
    if device is not None:
        others = [each for each in devices if each["device_id"] != device.device_id]
        first = [asdict(device)] if device.device_token else []
        devices = [*first, *others][:MAX_PUSH_DEVICES]
    return {**after, PUSH_DEVICES: devices} if devices else after
