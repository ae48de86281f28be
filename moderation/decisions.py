"""What is decided about bans: the one way in which a ban begins, changes, or is lifted.

Invariants
----------
* The law stands in one place, the SQL function `moderation_decide` (migration 0004_decide, with the
  law as its comment): the ledger, the audit trail, and the connections that are to close.
* Where no webhook listens it is one round trip, which is a transaction by itself. Where one does,
  its deliveries are written in the same transaction.
* `tests/moderation/plain_decisions.py` says the same slowly, in the ORM.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from applications import announcements
from applications.audit import Actor
from applications.models import AuditEvent, Environment
from applications.statements import Statement
from moderation.models import NEVER, Ban
from users import presence
from users.models import KickReason
from users.presence import Kick

_ANSWER = (
    "SELECT decided, heard, made_lives, made_ids, made_sinces, closed_ids, closed_as, recorded,"
    " kicked_lives, kicked_ids "
    "FROM moderation_decide(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, "
)
_DECIDE = Statement(
    _ANSWER + "%s::text[], %s::timestamptz[], %s::text[], %s::boolean[], %s::timestamptz[])"
)
# Of one id without arrays, which cost psycopg more than all the rest.
_DECIDE_ONE = Statement(
    _ANSWER + "ARRAY[%s]::text[], ARRAY[%s]::timestamptz[], ARRAY[%s]::text[], "
    "ARRAY[%s]::boolean[], ARRAY[%s]::timestamptz[])"
)


@dataclass(frozen=True)
class Terms:
    """What is decided about one user; `since` where the ban goes on from a lifted one."""

    expires_at: datetime | None = None
    reason: str = ""
    tell_reason: bool = False
    since: datetime | None = None


def impose(
    environment: Environment, terms: Mapping[str, Terms], *, by: Actor, now: datetime
) -> list[Ban]:
    """Ban these users, by id: replace the bans in force, begin the others."""
    answer = _decide(environment, terms, lifting=False, by=by, now=now)
    return [
        Ban(
            id=life,
            environment=environment,
            user_id=user_id,
            reason=given.reason,
            tell_reason=given.tell_reason,
            imposed_at=now,
            imposed_by=by.name,
            imposed_via=by.via,
            banned_since=since,
            expires_at=given.expires_at,
            ends_at=given.expires_at or NEVER,
        )
        for user_id, given in terms.items()
        for life, since in [answer.made[user_id]]
    ]


def lift(
    environment: Environment, user_ids: Sequence[str], *, by: Actor, now: datetime
) -> list[str]:
    """End the bans of these users; the ids that were banned."""
    terms = dict.fromkeys(user_ids, Terms())
    answer = _decide(environment, terms, lifting=True, by=by, now=now)
    return [user_id for user_id, closed_as in answer.closed if closed_as == Ban.Outcome.LIFTED]


class _Answer:
    """A row of `moderation_decide`."""

    def __init__(self, row: Sequence[Any]) -> None:
        self.decided, self.heard, lives, ids, sinces, *others = row
        closed_ids, closed_as, recorded, kicked, kicked_ids = others
        self.made: dict[str, tuple[int, datetime]] = {
            user_id: (life, since)
            for user_id, life, since in zip(ids or (), lives or (), sinces or (), strict=True)
        }
        self.closed = _pairs(closed_ids, closed_as)  # user id, outcome
        self.recorded: list[int] = recorded or []
        self.kicked = _pairs(kicked, kicked_ids)  # connection, user id


def _pairs(these: Sequence[Any] | None, those: Sequence[Any] | None) -> list[tuple[Any, Any]]:
    return list(zip(these or (), those or (), strict=True))


def _decide(
    environment: Environment,
    terms: Mapping[str, Terms],
    *,
    lifting: bool,
    by: Actor,
    now: datetime,
) -> _Answer:
    if not terms:
        return _Answer([True, False, *[None] * 8])
    answer = _ask(environment, terms, lifting=lifting, by=by, now=now)
    if not answer.decided:
        with transaction.atomic(savepoint=False):
            answer = _ask(environment, terms, lifting=lifting, by=by, now=now)
            _announce(answer)
    elif answer.heard:
        _announce(answer)
    by_kick: dict[Kick, list[int]] = defaultdict(list)
    for connection_id, user_id in answer.kicked:
        given = terms[user_id]
        why = given.reason if given.tell_reason else ""
        by_kick[Kick(KickReason.BANNED, until=given.expires_at, why=why)].append(connection_id)
    presence.hurry(by_kick)
    return answer


def _ask(
    environment: Environment,
    terms: Mapping[str, Terms],
    *,
    lifting: bool,
    by: Actor,
    now: datetime,
) -> _Answer:
    columns = [
        (user_id, each.expires_at, each.reason, each.tell_reason, each.since)
        for user_id, each in terms.items()
    ]
    statement = _DECIDE_ONE if len(columns) == 1 else _DECIDE
    row = statement.row(
        environment.pk,
        environment.application_id,
        now,
        connection.in_atomic_block,
        lifting,
        *(str(by.kind), by.name, by.via, by.address, by.request_id),
        *(columns[0] if len(columns) == 1 else map(list, zip(*columns, strict=True))),
    )
    assert row is not None  # noqa: S101
    return _Answer(row)


def _announce(answer: _Answer) -> None:
    lines = AuditEvent.objects.filter(pk__in=answer.recorded).order_by("pk")
    announcements.announce_recorded(lines)
