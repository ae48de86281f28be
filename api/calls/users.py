"""Users: tokens, profile, online status, deactivation."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from api import fields, leases, offset_paging
from api.vendor import Caller
from applications import unix_time
from users import deactivation, presence, profiles, registration, tokens
from users.models import DeactivatedUser

# Clocks differ between machines: a moment no further ahead than this counts as now.
CLOCKS_DIFFER = timedelta(seconds=5)
BY_REGISTRATION = ("registered_at", "id")
LAST_REGISTERED_FIRST = ("-registered_at", "-id")


def issue_token(
    caller: Caller, user_id: str, name: str, avatar_url: str | None = None
) -> dict[str, Any]:
    """Register a user, or give a registered user another token."""
    registered = registration.register(
        environment=caller.environment,
        user_id=user_id,
        name=name,
        avatar_url=avatar_url,
        by=caller.actor,
        lease=leases.requested(caller.call),
        now=caller.now,
    )
    return {"user_id": user_id, "token": registered.token}


def expire_tokens(caller: Caller, user_ids: Sequence[str], milliseconds: int) -> None:
    """Invalidate the tokens issued before this moment; open connections stay open. Ids that are
    not registered are skipped.
    """
    before = unix_time.from_milliseconds(milliseconds)
    if caller.now < before <= caller.now + CLOCKS_DIFFER:
        before = caller.now
    tokens.expire(**caller.who_and_when, user_ids=user_ids, before=before)


def get(caller: Caller, user_id: str) -> dict[str, Any]:
    """A user's name, avatar and time of registration."""
    user = profiles.basics(environment=caller.environment, user_id=user_id)
    return {
        "name": user.name,
        "avatar_url": user.avatar_url,
        "registered_at": fields.format_time(user.registered_at),
    }


def update(
    caller: Caller, user_id: str, name: str | None = None, avatar_url: str | None = None
) -> None:
    """Change the name or the avatar; what is not sent stays."""
    profiles.update(**caller.who_and_when, user_id=user_id, name=name, avatar_url=avatar_url)


def online_status(caller: Caller, user_id: str) -> dict[str, Any]:
    """Whether a user is online (1) or not (0)."""
    online = presence.is_online(environment=caller.environment, user_id=user_id, now=caller.now)
    return {"status": "1" if online else "0"}


def deactivate(caller: Caller, user_ids: Sequence[str]) -> dict[str, Any]:
    """Erase these users and disable their ids."""
    operation = deactivation.deactivate(**caller.who_and_when, user_ids=user_ids)
    return {"operation_id": operation}


def reactivate(caller: Caller, user_ids: Sequence[str]) -> dict[str, Any]:
    """Enable these ids again; what was erased stays erased."""
    operation = deactivation.reactivate(**caller.who_and_when, user_ids=user_ids)
    return {"operation_id": operation}


def deactivated(caller: Caller, page: int, size: int) -> dict[str, Any]:
    """Deactivated ids, the latest first, whether their data is already erased or not."""
    tombstones = offset_paging.page(
        DeactivatedUser.objects.filter(environment=caller.environment),
        *("-deactivated_at", "-id"),
        number=page,
        size=size,
    )
    return {"user_ids": [each.user_id for each in tombstones]}
