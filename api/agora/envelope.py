"""The envelope of a success, and the user in it. Each call shows its own choice of keys."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import escape_uri_path

from api.agora import auth
from api.agora.auth import Caller, Request
from moderation import bans
from users.models import AppUser
from users.profiles import QUIET_PERIOD

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def envelope(request: Request, action: str | None = None, **content: Any) -> dict[str, Any]:
    """All that there is to say, of which the call's answer shows what its schema names. What is
    None has no key on the wire: clients page until there is no cursor, and take "" for one.
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


def uri(request: HttpRequest, *rest: str) -> str:
    """The request's address without its query, or another one of the app."""
    path = "/" + "/".join([*auth.segments(request)[:2], *rest]) if rest else request.path
    # Only echoed, so that a host which pages must not have is no error here.
    host = request.headers.get("Host") or request.META["SERVER_NAME"]
    return f"{request.scheme}://{host}{escape_uri_path(path)}"


def entities(caller: Caller, users: Sequence[AppUser]) -> list[dict[str, Any]]:
    """One query for all."""
    banned = bans.in_force(
        environment=caller.environment, user_ids=[user.user_id for user in users], now=caller.now
    )
    return [
        _entity(user, banned[user.user_id].imposed_at if user.user_id in banned else None)
        for user in users
    ]


def _entity(user: AppUser, banned_at: datetime | None) -> dict[str, Any]:
    changes = (user.registered_at, user.changed_at, banned_at)
    return {
        "uuid": str(user.uuid),
        "type": "user",
        "created": milliseconds(user.registered_at),
        "modified": milliseconds(max(moment for moment in changes if moment is not None)),
        "username": user.user_id,
        "activated": banned_at is None,
        **({"nickname": user.name} if user.name else {}),
        **{key: each for key, each in user.push_settings.items() if key != QUIET_PERIOD},
    }


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
