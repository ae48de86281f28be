"""Drops from the audit trail what no environment keeps any longer: whole seals with their lines,
from the oldest end.

Invariants
----------
* A seal goes when every line in it is older than its environment keeps the trail. So a line may
  stay longer than its environment asks for: as long as the seals before it, and lines beside it.
* What goes is compared with its seals first. What is not as it was stays, and so does all after it:
  evidence of a forgery is not tidied away.
* Lines, their seals and the statement (`applications.audit_cuts`) go and come in one transaction.
* The newest seals stay, for as long as a late line may need them.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from applications import audit_cuts, audit_lines, audit_verification, retention
from applications.audit_seals import LOCK
from applications.models import AuditCut, AuditSeal, Environment

log = logging.getLogger(__name__)

SEALS_AT_ONCE, LINES_AT_ONCE = 500, 20_000

_OWNERS = """
SELECT DISTINCT line.application_id, line.environment_id
  FROM unnest(%s::int8multirange) AS ids JOIN applications_auditevent AS line
    ON line.id >= lower(ids) AND line.id < upper(ids)
"""
_DELETE = """
DELETE FROM applications_auditevent AS line USING unnest(%s::int8multirange) AS ids
 WHERE line.id >= lower(ids) AND line.id < upper(ids)
"""
# Only the owner of the table gets through with it (migration 0012_audit_retention).
_DECLARE = "SELECT set_config('rollcall.audit_retention', %s, true)"


class _Kept:
    """How long lines are kept; None: without end. Those that belong to no environment are kept as
    long as the application's environments keep theirs.
    """

    def __init__(self) -> None:
        self._by_environment: dict[int, timedelta | None] = {}
        self._by_application: dict[int, list[timedelta | None]] = {}
        rows = Environment.objects.values_list("pk", "application_id", retention.AUDIT.setting)
        for environment_id, application_id, kept in rows:
            self._by_environment[environment_id] = kept
            self._by_application.setdefault(application_id, []).append(kept)

    def of(self, owners: Sequence[tuple[int, int | None]]) -> timedelta | None:
        found: list[timedelta | None] = []
        for application_id, environment_id in owners:
            if environment_id is None:
                found += self._by_application[application_id]
            else:
                found.append(self._by_environment[environment_id])
        ends = [kept for kept in found if kept is not None]
        return None if len(ends) < len(found) else max(ends, default=retention.AUDIT.least)


def next_seals(*, now: datetime) -> tuple[list[AuditSeal], timedelta]:
    """The oldest seals that may go now, up to a batch, and the longest time that one of their lines
    is kept.
    """
    newest = AuditSeal.objects.order_by("-number").only("settled_id").first()
    chosen: list[AuditSeal] = []
    longest, lines, kept = retention.AUDIT.least, 0, _Kept()
    if newest is None:
        return chosen, longest
    old = AuditSeal.objects.filter(
        sealed_at__lte=now - longest, through_id__lte=newest.settled_id, number__lt=newest.number
    )
    for seal in old.defer("line_hashes").order_by("number")[:SEALS_AT_ONCE]:
        need = kept.of(_owners(seal))
        lines += seal.lines
        if need is None or seal.sealed_at > now - need or (chosen and lines > LINES_AT_ONCE):
            break
        chosen.append(seal)
        longest = max(longest, need)
    # The statement says one time for all of them.
    return [seal for seal in chosen if seal.sealed_at <= now - longest], longest


def _owners(seal: AuditSeal) -> list[tuple[int, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [seal.ids])
        return list(cursor.fetchall())


@transaction.atomic
def drop_old(*, now: datetime) -> int:
    """Drop a batch; return how many lines. 0 if nothing may go, if another worker is at it, or if
    what is to go is not as it was sealed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        seals, kept = next_seals(now=now)
        if not seals:
            return 0
        first, last = seals[0], seals[-1]
        report = audit_verification.verify(numbers=range(first.number, last.number + 1))
        if not report.is_whole:
            log.error("the audit trail is not as it was, so nothing is dropped: verify it")
            return 0
        before = audit_cuts.latest()
        lines = sum(seal.lines for seal in seals)
        ids = audit_lines.union(seal.ids for seal in seals)
        cursor.execute(_DECLARE, ["on"])
        cursor.execute(_DELETE, [ids])
        AuditSeal.objects.filter(number__lte=last.number).delete()
        cursor.execute(_DECLARE, ["off"])
        key = audit_cuts.keys()[0]
        cut = AuditCut(
            number=before.number + 1 if before else 1,
            made_at=now,
            first_seal=first.number,
            last_seal=last.number,
            lines=lines,
            sealed_until=last.sealed_at,
            seal_before=last.seal,
            kept=kept,
            key_hint=key.hint,
            previous=before.mac if before else "",
        )
        cut.mac = audit_cuts.mac(cut, key)
        cut.save(force_insert=True)
    log.info("dropped from the audit trail", extra={"facts": {"cut": cut.number, "lines": lines}})
    return lines
