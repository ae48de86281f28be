"""Which users are connected, and requests to close their connections.

Invariants
----------
* A user is online while a live gateway process (`users.gateway_processes`) holds a connection of
  the user that nobody has asked to close. So a user who is banned, deleted or deactivated is
  offline from that commit on, even if the socket is not closed yet.
* A request to close is written to the connection's row in the transaction of its cause, so it
  cannot be lost or precede its cause. `users.bus` only makes it arrive sooner.
* Admission holds `identity.lock` on the user from its checks until the row is inserted. Bans,
  deletions and sign-outs take the same lock, so none can happen in between. Changes to everybody in
  an environment take `identity.lock_environment`.
* Webhooks get one event when a connection opens and one when its row is deleted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from applications import announcements, audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.counting import EXACT_UP_TO, Count, bounded
from applications.models import Environment
from applications.statements import Statement
from users import bus, kick_reports, subscribers
from users.models import AppUser, Connection, KickReason

# The most open connections of a user (`moderation.connecting`).
MAX_CONNECTIONS = 10


@dataclass(frozen=True)
class Kick:
    """Why a connection must close, as its client is told: `until` if the reason ends by itself, and
    `why` if staff chose to tell it. Never who requested it.
    """

    reason: KickReason
    until: datetime | None = None
    why: str = ""

    @classmethod
    def of(cls, connection: Connection) -> "Kick":
        """The kick in the row of a connection that was asked to close."""
        return cls(KickReason(connection.kick_reason), connection.kick_until, connection.kick_why)

    def for_bus(self) -> dict[str, str | None]:
        """The kick as members of a message on `users.bus`."""
        until = self.until.isoformat() if self.until is not None else None
        return {"reason": self.reason, "until": until, "why": self.why}

    @classmethod
    def from_bus(cls, message: Mapping[str, Any]) -> "Kick":
        """The inverse of `for_bus`. Raises `KeyError`, `TypeError` or `ValueError` if invalid."""
        until = message["until"]
        return cls(
            KickReason(message["reason"]),
            datetime.fromisoformat(until) if until is not None else None,
            str(message["why"]),
        )


def request_disconnect(
    *, environment: Environment, kicks: Mapping[str, Kick], now: datetime
) -> int:
    """Ask the gateway processes to close these users' connections; return how many connections.

    `kicks` maps user ids to the reasons.
    """
    held = Connection.objects.for_users(environment, list(kicks))
    return _ask_to_close(held, kicks.__getitem__, now=now).total()


def request_disconnect_all(*, environment: Environment, kick: Kick, now: datetime) -> int:
    """`request_disconnect` for all users in the environment."""
    held = Connection.objects.filter(environment=environment)
    return _ask_to_close(held, lambda _: kick, now=now).total()


@transaction.atomic(savepoint=False)
def _ask_to_close(
    held: QuerySet[Connection], kick_of: Callable[[str], Kick], *, now: datetime
) -> Counter[str]:
    """user_id → how many connections were asked to close."""
    # In the order of their keys, as in `disconnect`, so that the two cannot deadlock.
    wanted = held.filter(kicked_at=None).select_for_update().order_by("pk")
    by_kick: dict[Kick, list[int]] = defaultdict(list)
    closing: Counter[str] = Counter()
    for key, user_id in wanted.values_list("pk", "user_id"):
        closing[user_id] += 1
        by_kick[kick_of(user_id)].append(key)
    for kick, keys in by_kick.items():
        for batch in _batches(keys):
            Connection.objects.filter(pk__in=batch).update(
                kicked_at=now, kick_reason=kick.reason, kick_until=kick.until, kick_why=kick.why
            )
    hurry(by_kick)
    return closing


def hurry(by_kick: Mapping[Kick, list[int]]) -> None:
    """Notify the gateways at commit of requests to close that are in these connections' rows."""
    for kick, keys in by_kick.items():
        for batch in _batches(keys):
            # By connection, not by user: a late message must not close a newer connection.
            bus.publish("kick", connections=batch, **kick.for_bus())


def _batches(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), bus.KEYS_AT_ONCE):
        yield keys[start : start + bus.KEYS_AT_ONCE]


def kick(*, environment: Environment, user_id: str, by: Actor, now: datetime) -> int:
    """Close a user's connections now; return how many. The user may connect again."""
    return kick_several(environment=environment, user_ids=[user_id], by=by, now=now)


@transaction.atomic
def kick_several(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> int:
    """`kick` for several users, with an audit line for each who was connected."""
    held = Connection.objects.for_users(environment, list(user_ids))
    kick = Kick(KickReason.KICKED)
    closing = _ask_to_close(held, lambda _: kick, now=now)
    if closing:
        audit.record_many(
            AuditType.USER_KICKED,
            environment=environment,
            by=by,
            now=now,
            changes=[(user_id, None, {"connections": n}) for user_id, n in closing.items()],
        )
    return closing.total()


@transaction.atomic
def kick_connection(
    *, environment: Environment, connection_id: int, by: Actor, now: datetime
) -> bool:
    """Close one connection; return whether it was open."""
    held = Connection.objects.filter(environment=environment, pk=connection_id)
    connection = held.first()
    kick = Kick(KickReason.KICKED)
    if connection is None or not _ask_to_close(held, lambda _: kick, now=now):
        return False
    audit.record(
        AuditType.USER_KICKED,
        environment=environment,
        subject=connection.user_id,
        by=by,
        now=now,
        after={"connections": 1, "device": connection.device},
    )
    return True


def is_open(*, connection_id: int) -> bool:
    """Whether nobody has asked to close the connection. Under `identity.lock` on the user, the
    answer holds until the transaction ends.
    """
    return Connection.objects.filter(pk=connection_id, kicked_at=None).exists()


def kicked(*, connection_id: int) -> Connection | None:
    """The connection, if it was asked to close."""
    return Connection.objects.filter(pk=connection_id, kicked_at__isnull=False).first()


@transaction.atomic
def disconnect(*, connection_ids: Iterable[int], now: datetime) -> None:
    """Delete closed connections, and set when their users were last seen. Connections that are
    deleted already are skipped.
    """
    closed = Connection.objects.filter(pk__in=list(connection_ids))
    delete_closed(list(closed.select_for_update().order_by("pk")), at=now)


def delete_closed(closed: list[Connection], *, at: datetime) -> None:
    """Delete rows that the caller has locked, of connections that were closed at `at`."""
    Connection.objects.filter(pk__in=[each.pk for each in closed]).delete()
    kick_reports.report(closed, at=at)
    by_environment: dict[int, set[str]] = {}
    for connection in closed:
        by_environment.setdefault(connection.environment_id, set()).add(connection.user_id)
    for environment_id, user_ids in by_environment.items():
        # Skips locked rows: whoever has locked one may be waiting for a connection locked here.
        seen = AppUser.objects.select_for_update(skip_locked=True).filter(
            Q(last_seen_at=None) | Q(last_seen_at__lt=at),
            environment=environment_id,
            user_id__in=user_ids,
        )
        keys = list(seen.values_list("pk", flat=True))
        AppUser.objects.filter(pk__in=keys).update(last_seen_at=at)
        subscribers.tell(environment_id=environment_id, user_ids=user_ids, now=at)
    _announce("user.offline", closed, at)


def announce_online(opened: Iterable[Connection], *, now: datetime) -> None:
    """Announce new connections to webhooks, in the transaction that stored them."""
    _announce("user.online", opened, now)


def _announce(event: str, concerned: Iterable[Connection], at: datetime) -> None:
    """One event per connection: receivers can count a user's open ones, by `connection`."""
    announcements.announce(
        announcements.Event(
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


def connections(*, environment: Environment, user_id: str, now: datetime) -> list[Connection]:
    """The user's open connections, oldest first."""
    found = connections_of(environment=environment, user_ids=[user_id], now=now)
    return found.get(user_id, [])


def connections_of(
    *, environment: Environment, user_ids: list[str], now: datetime
) -> dict[str, list[Connection]]:
    """user_id → open connections, oldest first, without users who have none. One query."""
    found: dict[str, list[Connection]] = {}
    for connection in Connection.objects.open(now).for_users(environment, user_ids).order_by("pk"):
        found.setdefault(connection.user_id, []).append(connection)
    return found


def online(*, environment: Environment, user_ids: list[str], now: datetime) -> set[str]:
    """Those of these users who are online."""
    return set(
        Connection.objects.open(now)
        .for_users(environment, user_ids)
        .values_list("user_id", flat=True)
    )


_IS_ONLINE = Statement(  # as `ConnectionQuerySet.open`
    "SELECT EXISTS (SELECT FROM users_connection JOIN users_gatewayprocess AS gateway"
    " ON gateway.id = gateway_id WHERE environment_id = %s AND user_id = %s"
    " AND kicked_at IS NULL AND lease_until > %s)"
)


def is_online(*, environment: Environment, user_id: str, now: datetime) -> bool:
    return _IS_ONLINE.rows(environment.pk, user_id, now) == [(True,)]


def online_count(*, environment: Environment, now: datetime) -> Count:
    """How many users are online (not connections); exact up to `EXACT_UP_TO`."""
    online = Connection.objects.open(now).filter(environment=environment)
    found = online.values("user_id").distinct()[: EXACT_UP_TO + 1].count()
    return bounded(found, at=EXACT_UP_TO)
