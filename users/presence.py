"""Who is connected, and closing their connections.

Invariants
----------
* A user is online while a live gateway process holds a connection of theirs. A process is alive
  while its lease runs, so what a killed process held is offline when its lease is over.
* A request to close is written to the connection's row in the transaction of its cause. It cannot
  be lost, and it is not seen before the cause is.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.models import Environment
from users.models import Connection


def request_disconnect(
    *, environment: Environment, user_ids: Iterable[str], reason: str, now: datetime
) -> int:
    """Ask every gateway process to close these users' connections; how many were asked."""
    return (
        Connection.objects.of_users(environment, list(user_ids))
        .filter(kicked_at=None)
        .update(kicked_at=now, kick_reason=reason)
    )


def request_disconnect_all(*, environment: Environment, reason: str, now: datetime) -> int:
    return Connection.objects.filter(environment=environment, kicked_at=None).update(
        kicked_at=now, kick_reason=reason
    )


@transaction.atomic
def kick(*, environment: Environment, user_id: str, by: Actor, now: datetime) -> int:
    """Close a user's connections now; they may connect again. How many were asked to close."""
    count = request_disconnect(
        environment=environment, user_ids=[user_id], reason="kicked", now=now
    )
    if count:
        audit.record(
            "user.kicked",
            environment=environment,
            subject=user_id,
            by=by,
            now=now,
            after={"connections": count},
        )
    return count


def online(*, environment: Environment, user_ids: list[str], now: datetime) -> set[str]:
    """Which of these users are online."""
    return set(
        Connection.objects.alive(now)
        .of_users(environment, user_ids)
        .values_list("user_id", flat=True)
    )


def is_online(*, environment: Environment, user_id: str, now: datetime) -> bool:
    return bool(online(environment=environment, user_ids=[user_id], now=now))


def online_count(*, environment: Environment, now: datetime) -> int:
    """Users, not connections."""
    return (
        Connection.objects.alive(now)
        .filter(environment=environment)
        .values("user_id")
        .distinct()
        .count()
    )
