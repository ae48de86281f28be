"""Seals over the audit trail, so that nobody can rewrite it without being found out.

A seal holds a hash of each of its lines and the seal before it, and is made with a key that is not
in the database. `applications.audit_verification` compares seals with lines.

Invariants
----------
* Each committed line is in exactly one seal, in whatever order transactions commit. A line that
  commits after greater ids were sealed is in a later seal. This is why a seal lists ids, and is no
  range of times.
* A line is looked for until no transaction can write its id any more (`settled_id`): every
  transaction that may have taken an id when a seal was made has ended.
* All environments share one chain. It is made by one worker at a time, however many there are.
* The key is derived from `ENCRYPTION_KEYS`, so that no installation is without one. Whoever has
  the database and this key is still found out by copies of the seals elsewhere
  (`applications.seal_copies`, webhooks).
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from applications import announcements, audit_lines, vault
from applications.models import AuditEvent, AuditSeal

SEAL_EVERY = timedelta(minutes=1)
LINES_AT_ONCE = 10_000
# Beyond this, waiting lines are a fault on the health page.
OVERDUE_AFTER = timedelta(minutes=5)
# Between the moment when a verb's `now` is read and its first write.
LONGEST_VERB = timedelta(minutes=15)
# PostgreSQL takes an id from the sequence just before it numbers the transaction. A seal counts the
# running transactions of one that is this much younger.
SLACK = timedelta(seconds=30)
_PURPOSE = "audit seals 1"
LOCK = 7_240_316_552  # any number of our own, for an advisory lock

_SETTLED = """
WITH ended AS (
    SELECT sealed_at FROM applications_auditseal
     WHERE next_transaction <= %s ORDER BY number DESC LIMIT 1
)
SELECT seal.through_id, seal.sealed_at FROM applications_auditseal AS seal, ended
 WHERE seal.sealed_at <= ended.sealed_at - %s::interval ORDER BY seal.number DESC LIMIT 1
"""
_OLDEST_TRANSACTION = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_NEXT_TRANSACTION = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_HELD = """
SELECT ids FROM applications_auditseal
 WHERE int8range(first_id, last_id, '[]') && int8range(%s, %s, '(]')
"""


@transaction.atomic
def seal_next(*, now: datetime, beyond: int = 0) -> AuditSeal | None:
    """Seal up to `LINES_AT_ONCE` lines that no seal holds, with ids greater than `beyond`.

    None if there is none, or if another worker is sealing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        last = AuditSeal.objects.defer("line_hashes").order_by("-number").first()
        settled_id, settled_at = _settled(last) if last else (0, None)
        # Before the lines are read, and of the first of several seals that follow each other.
        oldest_transaction = (
            last.oldest_transaction if last and beyond else _number(_OLDEST_TRANSACTION)
        )
        held = audit_lines.union(ids_held(settled_id))
        lines = audit_lines.unheld(beyond=max(settled_id, beyond), held=held, limit=LINES_AT_ONCE)
        if not lines:
            return None
        # After the lines were read: a transaction that took an id before theirs has a lower number.
        next_transaction = _number(_NEXT_TRANSACTION)
    key = seal_keys()[0]
    made = AuditSeal(
        number=last.number + 1 if last else 1,
        sealed_at=now,
        lines=len(lines),
        ids=audit_lines.multirange(line.id for line in lines),
        first_id=lines[0].id,
        last_id=lines[-1].id,
        line_hashes=b"".join(line.hashed(key.secret) for line in lines),
        through_id=max(lines[-1].id, last.through_id if last else 0),
        settled_id=settled_id,
        settled_at=settled_at,
        oldest_transaction=oldest_transaction,
        next_transaction=next_transaction,
        key_hint=key.hint,
        previous=last.seal if last else "",
    )
    made.seal = mac(made, key)
    made.save(force_insert=True)
    announcements.announce_seal(made)
    return made


def _settled(last: AuditSeal) -> tuple[int, datetime | None]:
    """`settled_id` and `settled_at` of the seal after `last`.

    `last` has seen whatever had ended by then. So all is settled that was sealed at a time since
    when, by then, every transaction had ended.
    """
    if last.lines < LINES_AT_ONCE:  # otherwise it may have left lines behind
        with connection.cursor() as cursor:
            cursor.execute(_SETTLED, [last.oldest_transaction, f"{SLACK.total_seconds()} s"])
            for through_id, sealed_at in cursor.fetchall():
                # After a restore, another server numbers its transactions from the start.
                if through_id >= last.settled_id:
                    return through_id, sealed_at
    return last.settled_id, last.settled_at


def _number(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def ids_held(beyond: int, through: int | None = None) -> list[str]:
    """The multiranges of all seals that hold a line with an id in (beyond, through]."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [beyond, through])
        return [ids for (ids,) in cursor.fetchall()]


def seal_of(line_id: int) -> AuditSeal | None:
    """The seal that holds the line; None while it waits."""
    held = "int8range(first_id, last_id, '[]') @> %s::bigint AND ids::int8multirange @> %s::bigint"
    return next(
        iter(
            AuditSeal.objects.raw(
                f"SELECT * FROM applications_auditseal WHERE {held}",  # noqa: S608
                [line_id, line_id],
            )
        ),
        None,
    )


def is_due(*, now: datetime) -> bool:
    """Whether the last seal is older than `SEAL_EVERY`, or there is none."""
    last = AuditSeal.objects.order_by("-number").values_list("sealed_at", flat=True).first()
    return last is None or last <= now - SEAL_EVERY


@dataclass(frozen=True)
class Key:
    """A key for seals, from one of `ENCRYPTION_KEYS`. `hint` names it without revealing it."""

    secret: bytes
    hint: str


def seal_keys() -> list[Key]:
    """The current key first, then the older ones, which verify the seals that they made."""
    return keys_for(_PURPOSE)


def keys_for(purpose: str) -> list[Key]:
    return [Key(secret, vault.hint(secret)) for secret in vault.keys_for(purpose)]


def mac(seal: AuditSeal, key: Key) -> str:
    """The MAC over all other columns of the seal, in hex."""
    columns: Sequence[object] = (
        seal.number,
        seal.sealed_at.timestamp(),
        seal.lines,
        seal.ids,
        seal.through_id,
        seal.settled_id,
        seal.settled_at and seal.settled_at.timestamp(),
        seal.oldest_transaction,
        seal.next_transaction,
        seal.key_hint,
        seal.previous,
        bytes(seal.line_hashes).hex(),
    )
    return hmac.digest(key.secret, json.dumps(columns).encode(), "sha256").hex()


@dataclass(frozen=True)
class SealHealth:
    """`waiting` is how long the oldest line has waited for its seal, at most since the last one."""

    last: datetime | None
    waiting: timedelta

    @property
    def is_well(self) -> bool:
        return self.waiting < OVERDUE_AFTER


def seal_health(*, now: datetime) -> SealHealth:
    last = AuditSeal.objects.order_by("-number").values("sealed_at", "through_id").first()
    beyond = AuditEvent.objects.filter(pk__gt=last["through_id"] if last else 0)
    oldest = beyond.order_by("pk").values_list("at", flat=True).first()
    if oldest is None:
        return SealHealth(last["sealed_at"] if last else None, timedelta(0))
    since = max(oldest, last["sealed_at"]) if last else oldest
    return SealHealth(last["sealed_at"] if last else None, max(now - since, timedelta(0)))
