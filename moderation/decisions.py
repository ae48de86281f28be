"""What is decided about bans: the one way in which a ban begins, changes, or is lifted.

Invariants
----------
* The law stands in one place, the SQL function `moderation_decide` (migration 0007_decide_together,
  with the law as its comment): the ledger, the audit trail, and the connections that are to close.
* Where no webhook listens it is one round trip, which is a transaction by itself; calls of the same
  caller that come in at the same moment share it. Where one does, its deliveries are written in the
  same transaction.
* `tests/moderation/plain_decisions.py` says the same slowly, in the ORM.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from applications import announcements
from applications.audit import Actor
from applications.batching import Batcher
from applications.models import AuditEvent, Environment
from applications.statements import Statement
from moderation.models import Ban
from users import presence
from users.models import KickReason
from users.presence import Kick

_ANSWER = (
    "SELECT decided, heard, made_lives, made_ids, made_sinces, closed_ids, closed_as, recorded,"
    " kicked_lives, kicked_ids "
    "FROM moderation_decide(%s, %s, %s, %s, %s, %s, %s, "
)
_TYPES = ["text", "timestamptz", "inet", "text", "timestamptz", "text", "boolean", "timestamptz"]
_DECIDE = Statement(_ANSWER + ", ".join(f"%s::{each}[]" for each in _TYPES) + ")")
# Of one id without arrays, which cost psycopg more than all the rest.
_DECIDE_ONE = Statement(_ANSWER + ", ".join(f"ARRAY[%s]::{each}[]" for each in _TYPES) + ")")


class Terms(NamedTuple):
    """What is decided about one user; `since` where the ban goes on from a lifted one."""

    expires_at: datetime | None = None
    reason: str = ""
    tell_reason: bool = False
    since: datetime | None = None


class Imposed(NamedTuple):
    """A ban that was made; `banned_since` is earlier than it if it goes on from another one."""

    ban_id: int
    user_id: str
    banned_since: datetime


def impose(
    environment: Environment, terms: Mapping[str, Terms], *, by: Actor, now: datetime
) -> list[Imposed]:
    """Ban these users, by id: replace the bans in force, begin the others."""
    answer = _decide(environment, terms, lifting=False, by=by, now=now)
    return [answer.made[user_id] for user_id in terms]


def lift(
    environment: Environment, user_ids: Sequence[str], *, by: Actor, now: datetime
) -> list[str]:
    """End the bans of these users; the ids that were banned."""
    terms = dict.fromkeys(user_ids, Terms())
    answer = _decide(environment, terms, lifting=True, by=by, now=now)
    return [
        user_id
        for user_id, closed_as in answer.closed
        if closed_as == Ban.Outcome.LIFTED and user_id in terms
    ]


class _Answer:
    """A row of `moderation_decide`, which may be about users of other calls too."""

    def __init__(self, row: Sequence[Any]) -> None:
        self.decided, self.heard, ban_ids, ids, sinces, *others = row
        closed_ids, closed_as, recorded, kicked, kicked_ids = others
        self.made = {
            user_id: Imposed(ban_id, user_id, since)
            for ban_id, user_id, since in zip(ban_ids or (), ids or (), sinces or (), strict=True)
        }
        self.closed = _pairs(closed_ids, closed_as)  # user id, outcome
        self.recorded: list[int] = recorded or []
        self.kicked = _pairs(kicked, kicked_ids)  # connection, user id


def _pairs(these: Sequence[Any] | None, those: Sequence[Any] | None) -> list[tuple[Any, Any]]:
    return list(zip(these or (), those or (), strict=True))


class _Asked(NamedTuple):
    """What is asked about one user."""

    environment: Environment
    terms: Terms
    lifting: bool
    by: Actor
    now: datetime


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
    asked = {
        user_id: _Asked(environment, each, lifting, by, now) for user_id, each in terms.items()
    }
    if len(asked) == 1 and not connection.in_atomic_block:
        [(user_id, one)] = asked.items()
        answer = _batcher.ask((environment.pk, lifting, by.kind, by.name, by.via), user_id, one)
    else:
        answer = _ask(asked)
    if not answer.decided:
        with transaction.atomic(savepoint=False):
            answer = _ask(asked)
            _announce(answer)
    elif answer.heard:
        _announce(answer)
    by_kick: dict[Kick, list[int]] = defaultdict(list)
    for connection_id, user_id in answer.kicked:
        if user_id in terms:
            given = terms[user_id]
            why = given.reason if given.tell_reason else ""
            by_kick[Kick(KickReason.BANNED, until=given.expires_at, why=why)].append(connection_id)
    presence.hurry(by_kick)
    return answer


def _ask(asked: Mapping[str, _Asked]) -> _Answer:
    """All of these have one environment and one caller, and are bans, or lifts."""
    columns = [
        (
            user_id,
            each.now,
            each.by.address,
            each.by.request_id,
            each.terms.expires_at,
            each.terms.reason,
            each.terms.tell_reason,
            each.terms.since,
        )
        for user_id, each in asked.items()
    ]
    one = next(iter(asked.values()))
    statement = _DECIDE_ONE if len(columns) == 1 else _DECIDE
    row = statement.row(
        one.environment.pk,
        one.environment.application_id,
        connection.in_atomic_block,
        one.lifting,
        *(str(one.by.kind), one.by.name, one.by.via),
        *(columns[0] if len(columns) == 1 else map(list, zip(*columns, strict=True))),
    )
    assert row is not None  # noqa: S101
    return _Answer(row)


def _ask_batch(asked: Mapping[str, _Asked]) -> Mapping[str, _Answer]:
    return dict.fromkeys(asked, _ask(asked))


_batcher: Batcher[_Asked, _Answer] = Batcher(_ask_batch, most=100)


def _announce(answer: _Answer) -> None:
    lines = AuditEvent.objects.filter(pk__in=answer.recorded).order_by("pk")
    announcements.announce_recorded(lines)
