"""The envelope of a success, and the user in it. Each call's schema selects its keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import escape_uri_path

from api.agora import auth
from api.agora.auth import Caller, Request
from applications.unix_time import milliseconds
from moderation import bans
from moderation.listed_users import ListedUser
from moderation.models import BanTimes
from users.models import AppUser
from users.profiles import PUSH_DEVICES, QUIET_PERIOD


def envelope(request: Request, action: str | None = None, **content: Any) -> dict[str, Any]:
    """All keys of the envelope; the call's schema selects some. Keys with None are left out:
    clients page until there is no cursor, and would take "" for one.
    """
    caller, now = request.auth, timezone.now()
    known: dict[str, Any] = {}
    if not auth.is_by_app_id(request):
        known = {
            "application": str(caller.application_uuid),
            "organization": caller.environment.application.org_name,
            "applicationName": caller.environment.kind,
        }
    known |= {
        "action": action,
        "path": "/users",
        "uri": uri(request),
        "params": {key: request.GET.getlist(key) for key in request.GET} or None,
        **content,
        "timestamp": milliseconds(now),
        "duration": max(0, milliseconds(now) - milliseconds(caller.now)),
    }
    return {key: value for key, value in known.items() if value is not None}


def uri(request: HttpRequest) -> str:
    """The request's URL without its query."""
    return _address(request, request.path)


def app_uri(request: HttpRequest, *below: str) -> str:
    """The app's URL, or one below it."""
    return _address(request, "/".join(["", *auth.segments(request)[:2], *below]))


def _address(request: HttpRequest, path: str) -> str:
    # The host is only echoed, so it is not checked against ALLOWED_HOSTS.
    host = request.headers.get("Host") or request.META["SERVER_NAME"]
    return f"{request.scheme}://{host}{escape_uri_path(path)}"


def entities(caller: Caller, users: Sequence[AppUser]) -> list[dict[str, Any]]:
    """The users as the API shows them. One query for all."""
    found = bans.latest(environment=caller.environment, user_ids=[user.user_id for user in users])
    return [entity(user, found.get(user.user_id), caller.now) for user in users]


def entity(user: AppUser | ListedUser, ban: BanTimes | None, now: datetime) -> dict[str, Any]:
    modified_at = user.changed_at or user.registered_at
    if ban is not None:
        modified_at = max(modified_at, ban.changed_at(now))
    return {
        "uuid": str(user.uuid),
        "type": "user",
        "created": milliseconds(user.registered_at),
        "modified": milliseconds(modified_at),
        "username": user.user_id,
        "activated": ban is None or not ban.is_in_force(now),
        **({"nickname": user.name} if user.name else {}),
        **_push_settings(user),
    }


def _push_settings(user: AppUser | ListedUser) -> dict[str, Any]:
    """The newest device is repeated outside the list, as in older samples of the vendor."""
    if not user.push_settings:
        return {}
    settings = {key: each for key, each in user.push_settings.items() if key != QUIET_PERIOD}
    devices = settings.pop(PUSH_DEVICES, [])
    if not devices:
        return settings
    return {
        **settings,
        "device_token": devices[0]["device_token"],
        "notifier_name": devices[0]["notifier_name"],
        "pushInfo": [
            {
                "device_Id": each["device_id"],
                "device_token": each["device_token"],
                "notifier_name": each["notifier_name"],
            }
            for each in devices
        ],
    }
