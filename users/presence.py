"""Who is connected, and closing their connections.

Invariants
----------
* A user is online while a live gateway process holds a connection of theirs. A process is alive
  while its lease runs, so what a killed process held is offline when its lease is over.
* A request to close is written to the connection's row in the transaction of its cause. It cannot
  be lost, and it is not seen before the cause is; `users.bus` only brings it sooner.
* Whoever lets a user in holds `identity.lock` on them from the last question to the inserted row,
  as whoever bans or deletes them does: none of it can fall between the two.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.models import Environment
from users import bus
from users.models import AppUser, Connection, GatewayProcess

# How long a gateway process counts as alive after it last said so.
LEASE = timedelta(seconds=15)
MAX_CONNECTIONS = 10


class TooManyConnections(Exception):
    """The user has as many open connections as one user may have."""

    def __init__(self, user_id: str):
        super().__init__(f"{user_id} has {MAX_CONNECTIONS} connections already")


def request_disconnect(
    *, environment: Environment, user_ids: Iterable[str], reason: str, now: datetime
) -> int:
    """Ask every gateway process to close these users' connections; how many were asked."""
    wanted = list(user_ids)
    asked = (
        Connection.objects.of_users(environment, wanted)
        .filter(kicked_at=None)
        .update(kicked_at=now, kick_reason=reason)
    )
    if asked:
        bus.publish("kick", environment=environment.pk, user_ids=wanted, reason=reason)
    return asked


def request_disconnect_all(*, environment: Environment, reason: str, now: datetime) -> int:
    """The same for everybody in the environment."""
    asked = Connection.objects.filter(environment=environment, kicked_at=None).update(
        kicked_at=now, kick_reason=reason
    )
    if asked:
        bus.publish("kick", environment=environment.pk, user_ids=None, reason=reason)
    return asked


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


@transaction.atomic
def kick_connection(
    *, environment: Environment, connection_id: int, by: Actor, now: datetime
) -> bool:
    """Close one device's connection; whether it was open."""
    connection = Connection.objects.filter(
        environment=environment, pk=connection_id, kicked_at=None
    ).first()
    if connection is None:
        return False
    Connection.objects.filter(pk=connection_id).update(kicked_at=now, kick_reason="kicked")
    bus.publish("kick_connection", connection=connection_id, reason="kicked")
    audit.record(
        "user.kicked",
        environment=environment,
        subject=connection.user_id,
        by=by,
        now=now,
        after={"connections": 1, "device": connection.device},
    )
    return True


def connect(
    *,
    user: AppUser,
    gateway: GatewayProcess,
    device: str,
    platform: str,
    address: str | None,
    now: datetime,
) -> Connection:
    """Write down a connection, in a transaction that holds `identity.lock` on the user since it
    asked whether they may connect. Raises `TooManyConnections`.
    """
    held = Connection.objects.alive(now).of_users(user.environment, [user.user_id])
    if held.filter(kicked_at=None).count() >= MAX_CONNECTIONS:
        raise TooManyConnections(user.user_id)
    AppUser.objects.filter(pk=user.pk).update(last_seen_at=now)
    return Connection.objects.create(
        gateway=gateway,
        environment=user.environment,
        user_id=user.user_id,
        device=device,
        platform=platform,
        address=address,
        connected_at=now,
    )


@transaction.atomic
def disconnect(*, connections: Iterable[Connection], now: datetime) -> None:
    """Strike out connections that have ended, and note when their users were last seen."""
    ended = list(connections)
    Connection.objects.filter(pk__in=[each.pk for each in ended]).delete()
    _last_seen(ended, now)


def _last_seen(connections: Iterable[Connection], at: datetime) -> None:
    by_environment: dict[int, set[str]] = {}
    for connection in connections:
        by_environment.setdefault(connection.environment_id, set()).add(connection.user_id)
    for environment_id, user_ids in by_environment.items():
        AppUser.objects.filter(environment=environment_id, user_id__in=user_ids).update(
            last_seen_at=at
        )


def start_gateway(*, name: str, now: datetime) -> GatewayProcess:
    """A gateway process begins; `name` is its own alone."""
    return GatewayProcess.objects.create(name=name, started_at=now, lease_until=now + LEASE)


def renew_lease(*, gateway: GatewayProcess, now: datetime) -> bool:
    """Say that the process is alive. False when it was given up for dead: it must begin anew."""
    return bool(GatewayProcess.objects.filter(pk=gateway.pk).update(lease_until=now + LEASE))


def kicks(*, gateway: GatewayProcess) -> list[Connection]:
    """What this process has been asked to close and has not yet."""
    return list(Connection.objects.filter(gateway=gateway, kicked_at__isnull=False))


@transaction.atomic
def stop_gateway(*, gateway: GatewayProcess, now: datetime) -> None:
    """The process ends in order; what it still holds ends with it."""
    disconnect(connections=Connection.objects.filter(gateway=gateway), now=now)
    GatewayProcess.objects.filter(pk=gateway.pk).delete()


@transaction.atomic
def bury_dead_gateways(*, now: datetime) -> list[Connection]:
    """Strike out processes whose lease is over, with what they held; the connections struck out."""
    dead = list(
        GatewayProcess.objects.select_for_update(skip_locked=True).filter(lease_until__lte=now)
    )
    held = list(Connection.objects.filter(gateway__in=dead))
    for gateway in dead:
        _last_seen([each for each in held if each.gateway_id == gateway.pk], gateway.lease_until)
    GatewayProcess.objects.filter(pk__in=[gateway.pk for gateway in dead]).delete()
    return held


def connections(*, environment: Environment, user_id: str, now: datetime) -> list[Connection]:
    """The user's open connections, oldest first."""
    return list(
        Connection.objects.alive(now)
        .of_users(environment, [user_id])
        .filter(kicked_at=None)
        .order_by("pk")
    )


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
