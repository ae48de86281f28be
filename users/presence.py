"""Who is connected, and closing their connections.

Invariants
----------
* A user is online while a live gateway process holds a connection of theirs. A process is alive
  while its lease runs, so what a killed process held is offline when its lease is over.
* A request to close is written to the connection's row in the transaction of its cause. It cannot
  be lost, and it is not seen before the cause is; `users.bus` only brings it sooner.
* Whoever lets a user in holds `identity.lock` on them from the last question to the inserted row,
  as whoever bans, deletes or signs them out does: none of it can fall between the two. For what
  concerns everybody in an environment, `identity.lock_environment` does the same.
* Webhooks hear of each connection once when it opens and once when it is struck out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from applications import announcements, audit
from applications.audit import Actor
from applications.counting import EXACT_UP_TO, Count, bounded
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
    *,
    environment: Environment,
    user_ids: Iterable[str],
    reason: str,
    now: datetime,
    until: Mapping[str, datetime | None] | None = None,
) -> int:
    """Ask every gateway process to close these users' connections; how many were asked. `until`, by
    user, is for the clients: when the reason ends by itself.
    """
    return _ask_to_close(
        Connection.objects.of_users(environment, list(user_ids)),
        reason=reason,
        now=now,
        until=until,
    )


def request_disconnect_all(*, environment: Environment, reason: str, now: datetime) -> int:
    """The same for everybody in the environment."""
    return _ask_to_close(Connection.objects.filter(environment=environment), reason=reason, now=now)


@transaction.atomic(savepoint=False)
def _ask_to_close(
    held: QuerySet[Connection],
    *,
    reason: str,
    now: datetime,
    until: Mapping[str, datetime | None] | None = None,
) -> int:
    # In the order of their keys, as `disconnect` locks them: neither waits for the other in a ring.
    wanted = held.filter(kicked_at=None).select_for_update().order_by("pk")
    by_end: dict[datetime | None, list[int]] = defaultdict(list)
    for key, user_id in wanted.values_list("pk", "user_id"):
        by_end[until.get(user_id) if until else None].append(key)
    for end, keys in by_end.items():
        for start in range(0, len(keys), bus.KEYS_AT_ONCE):
            batch = keys[start : start + bus.KEYS_AT_ONCE]
            Connection.objects.filter(pk__in=batch).update(
                kicked_at=now, kick_reason=reason, kick_until=end
            )
            # By their own keys: whoever comes back at once is not closed again by a late message.
            ends_at = end.isoformat() if end is not None else None
            bus.publish("kick", connections=batch, reason=reason, until=ends_at)
    return sum(map(len, by_end.values()))


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
    held = Connection.objects.filter(environment=environment, pk=connection_id)
    connection = held.first()
    if connection is None or not _ask_to_close(held, reason="kicked", now=now):
        return False
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
    connection = Connection.objects.create(
        gateway=gateway,
        environment=user.environment,
        user_id=user.user_id,
        device=device,
        platform=platform,
        address=address,
        connected_at=now,
    )
    _announce("user.online", [connection], now)
    return connection


def is_open(*, connection_id: int) -> bool:
    """Whether nobody has asked to close it. Who asks under `identity.lock` on the user may rely on
    it until the transaction ends.
    """
    return Connection.objects.filter(pk=connection_id, kicked_at=None).exists()


def kicked(*, connection_id: int) -> Connection | None:
    """The connection, if it was asked to close."""
    return Connection.objects.filter(pk=connection_id, kicked_at__isnull=False).first()


@transaction.atomic
def disconnect(*, connection_ids: Iterable[int], now: datetime) -> None:
    """Strike out connections that have ended, and note when their users were last seen. Those that
    are struck out already are no error.
    """
    ended = Connection.objects.filter(pk__in=list(connection_ids))
    _strike_out(list(ended.select_for_update().order_by("pk")), now)


def _strike_out(ended: list[Connection], at: datetime) -> None:
    """Rows that the caller has locked."""
    Connection.objects.filter(pk__in=[each.pk for each in ended]).delete()
    by_environment: dict[int, set[str]] = {}
    for connection in ended:
        by_environment.setdefault(connection.environment_id, set()).add(connection.user_id)
    for environment_id, user_ids in by_environment.items():
        # Without waiting: whoever holds such a row may wait for a connection's that is held here.
        seen = AppUser.objects.select_for_update(skip_locked=True).filter(
            Q(last_seen_at=None) | Q(last_seen_at__lt=at),
            environment=environment_id,
            user_id__in=user_ids,
        )
        keys = list(seen.values_list("pk", flat=True))
        AppUser.objects.filter(pk__in=keys).update(last_seen_at=at)
    _announce("user.offline", ended, at)


def _announce(event: str, concerned: Iterable[Connection], at: datetime) -> None:
    """Per connection: who wants to know of users counts the open ones, by `connection`."""
    announcements.announce(
        (
            event,
            connection.environment_id,
            {
                "user_id": connection.user_id,
                "connection": connection.pk,
                "device": connection.device,
                "platform": connection.platform,
                "address": connection.address,
            },
            at,
        )
        for connection in concerned
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


def held_since(*, gateway: GatewayProcess, connected_before: datetime) -> list[int]:
    """The keys of what stands here as held by this process since before that time."""
    held = Connection.objects.filter(gateway=gateway, connected_at__lt=connected_before)
    return list(held.values_list("pk", flat=True))


@transaction.atomic
def stop_gateway(*, gateway: GatewayProcess, now: datetime) -> None:
    """The process ends in order; what it still holds ends with it."""
    _strike_out(_held(gateway), now)
    GatewayProcess.objects.filter(pk=gateway.pk).delete()


@transaction.atomic
def bury_dead_gateways(*, now: datetime) -> int:
    """Strike out processes whose lease is over, with what they held; how many connections."""
    count = 0
    dead = GatewayProcess.objects.select_for_update(skip_locked=True).filter(lease_until__lte=now)
    for gateway in dead:
        held = _held(gateway)
        _strike_out(held, gateway.lease_until)
        gateway.delete()
        count += len(held)
    return count


def _held(gateway: GatewayProcess) -> list[Connection]:
    held = Connection.objects.filter(gateway=gateway)
    return list(held.select_for_update().order_by("pk"))


def connections(*, environment: Environment, user_id: str, now: datetime) -> list[Connection]:
    """The user's open connections, oldest first."""
    found = connections_of(environment=environment, user_ids=[user_id], now=now)
    return found.get(user_id, [])


def connections_of(
    *, environment: Environment, user_ids: list[str], now: datetime
) -> dict[str, list[Connection]]:
    """user_id → open connections, oldest first, for those who have any. One query."""
    found: dict[str, list[Connection]] = {}
    held = Connection.objects.alive(now).of_users(environment, user_ids).filter(kicked_at=None)
    for connection in held.order_by("pk"):
        found.setdefault(connection.user_id, []).append(connection)
    return found


def online(*, environment: Environment, user_ids: list[str], now: datetime) -> set[str]:
    """Which of these users are online."""
    return set(
        Connection.objects.alive(now)
        .of_users(environment, user_ids)
        .values_list("user_id", flat=True)
    )


def is_online(*, environment: Environment, user_id: str, now: datetime) -> bool:
    return bool(online(environment=environment, user_ids=[user_id], now=now))


def online_count(*, environment: Environment, now: datetime) -> Count:
    """Users, not connections; exact up to `EXACT_UP_TO`."""
    online = Connection.objects.alive(now).filter(environment=environment)
    found = online.values("user_id").distinct()[: EXACT_UP_TO + 1].count()
    return bounded(found, at=EXACT_UP_TO)
