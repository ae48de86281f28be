"""Admits clients to the gateway: the one way in which a connection opens.

Invariants
----------
* The rules are in one place, the SQL function `moderation_connect` (migration 0011_connect_seats,
  which documents them): the token, the gate, the number of connections, the connection's row.
* Many clients are one statement and one commit. If a webhook listens, its deliveries are written in
  the same transaction.
* `tests/moderation/plain_connecting.py` implements the same rules slowly, in the ORM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from applications.statements import Statement
from users import presence
from users.models import Connection, GatewayProcess, KickReason
from users.presence import Kick
from users.tokens import Claims

_CONNECT = Statement(
    "SELECT rule, connection_id, until, why, replaced "
    "FROM moderation_connect(%s, %s, %s, %s, %s, %s::bigint[], %s::text[], %s::bigint[], "
    "%s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::inet[], %s::bigint[], %s::text[]) "
    "ORDER BY place"
)


class Entry(StrEnum):
    """What decides whether a client is admitted."""

    ADMITTED = "registered"
    # Somebody else is working on this user: ask again, with `wait`.
    BUSY = "busy"
    WRONG_ENVIRONMENT = "wrong_environment"
    REVOKED_TOKEN = "revoked_token"  # noqa: S105 - no password
    BANNED = "banned"
    DEACTIVATED = "deactivated"
    # The token belongs to a former life of the id.
    DELETED = "deleted"
    TOO_MANY_CONNECTIONS = "too_many_connections"


@dataclass(frozen=True, slots=True)
class Applicant:
    """A client that asks to be admitted. The user's messages up to `after` are acknowledged; 0:
    none. It takes the place of the user's open connections with the same `seat`; "": of none.
    """

    claims: Claims
    app_key: str
    device: str = ""
    platform: str = ""
    address: str | None = None
    after: int = 0
    seat: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """`connection_id` is the new connection's key if the client is admitted, otherwise None.
    `until` and `why` are the end of a ban and the reason that staff chose to tell.
    """

    entry: Entry
    connection_id: int | None
    connected_at: datetime
    until: datetime | None
    why: str


def admit(
    applicants: Sequence[Applicant], *, gateway: GatewayProcess, now: datetime, wait: bool = True
) -> list[Admission]:
    """Decide about each of these clients, in order; store the connections of those admitted.

    Without `wait`, nobody is waited for: who would have to wait is `BUSY`.
    """
    rows = []
    if not connection.in_atomic_block:
        rows = _execute(applicants, gateway=gateway, now=now, wait=wait)
    if not rows:
        with transaction.atomic(savepoint=False):
            rows = _execute(applicants, gateway=gateway, now=now, wait=wait)
            presence.announce_online(_opened(applicants, rows), now=now)
            _hurry_replaced(rows)
    else:
        _hurry_replaced(rows)
    return [Admission(Entry(rule), key, now, until, why) for rule, key, until, why, _ in rows]


def _hurry_replaced(rows: Sequence[tuple[Any, ...]]) -> None:
    if keys := [key for *_, replaced in rows for key in replaced or ()]:
        presence.hurry({Kick(KickReason.REPLACED): keys})


def _opened(applicants: Sequence[Applicant], rows: Sequence[tuple[Any, ...]]) -> list[Connection]:
    return [
        Connection(
            pk=key,
            environment_id=each.claims.environment_id,
            user_id=each.claims.user_id,
            device=each.device,
            platform=each.platform,
            address=each.address,
        )
        for each, (_, key, *_) in zip(applicants, rows, strict=True)
        if key is not None
    ]


def _execute(
    applicants: Sequence[Applicant], *, gateway: GatewayProcess, now: datetime, wait: bool
) -> list[tuple[Any, ...]]:
    return _CONNECT.rows(
        gateway.pk,
        now,
        presence.MAX_CONNECTIONS,
        wait,
        connection.in_atomic_block,
        [each.claims.environment_id for each in applicants],
        [each.app_key for each in applicants],
        [each.claims.life for each in applicants],
        [each.claims.user_id for each in applicants],
        [each.claims.issued_at for each in applicants],
        [each.device for each in applicants],
        [each.platform for each in applicants],
        [each.address for each in applicants],
        [each.after for each in applicants],
        [each.seat for each in applicants],
    )
