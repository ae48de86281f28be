"""Ends of bans in the ledger, for the verbs and for the sweep.

Invariant: a ban is closed exactly once, by whoever gets there first, with its audit line in the
same transaction. The caller holds the rows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType, BanTerms
from moderation.models import Ban

SWEEP = Actor.system("ban sweep")


def close(bans: Sequence[Ban], *, outcome: Ban.Outcome, by: Actor, now: datetime) -> None:
    """Give bans their end in the ledger, once."""
    if bans:
        Ban.objects.open().filter(pk__in=[ban.pk for ban in bans]).update(
            closed_at=now, closed_by=by.name, closed_via=by.via, outcome=outcome
        )


def close_expired(bans: Sequence[Ban], *, now: datetime) -> None:
    """Write down what time has decided, with its audit lines. `bans` with their environment."""
    close(bans, outcome=Ban.Outcome.EXPIRED, by=SWEEP, now=now)
    audit.write(
        audit.line(
            AuditType.BAN_EXPIRED,
            by=SWEEP,
            now=now,
            application_id=ban.environment.application_id,
            environment_id=ban.environment_id,
            subject=ban.user_id,
            before=terms(ban),
        )
        for ban in bans
    )


def terms(ban: Ban) -> BanTerms:
    """What the audit trail says of a ban. `moderation_ban_terms` says the same in SQL."""
    said: BanTerms = {
        "until": ban.expires_at.astimezone(UTC).isoformat() if ban.expires_at else None,
        "reason": ban.reason,
    }
    if ban.tell_reason:
        said["tell_reason"] = True
    return said
