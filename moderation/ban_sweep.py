"""The sweep closes bans that have expired, and reports how late it is.

Invariant: the sweep decides nothing. A ban is in force while `expires_at > now`, however late the
sweep is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from applications import announcements
from applications.audit_types import BanEnd
from moderation.models import Ban, SweepRun

SWEEP_BATCH = 2_000
# Beyond this, the sweep counts as overdue on the health page.
OVERDUE_AFTER = timedelta(minutes=1)


# By id from an array: whatever statistics say, the rows that are closed are looked up one by one.
_EXPIRE = """
WITH closed AS (
    UPDATE moderation_ban SET
        closed_at = %(now)s, closed_by = 'system', closed_via = 'ban sweep', outcome = 'expired'
     WHERE id = ANY (ARRAY(
        SELECT id FROM moderation_ban
         WHERE closed_at IS NULL AND expires_at <= %(now)s
         ORDER BY expires_at LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED
     ))
    RETURNING id, environment_id, user_id, expires_at, reason, tell_reason
)
INSERT INTO applications_auditevent (
    at, type, application_id, environment_id, subject, actor_kind, actor, via, request_id, before
)
SELECT %(now)s, 'ban.expired', environment.application_id, closed.environment_id, closed.user_id,
       'system', 'system', 'ban sweep', '',
       moderation_ban_terms(closed.expires_at, closed.reason, closed.tell_reason)
  FROM closed JOIN applications_environment AS environment ON environment.id = closed.environment_id
 ORDER BY closed.expires_at, closed.id
RETURNING id
"""


@transaction.atomic
def expire_due(*, now: datetime, limit: int = SWEEP_BATCH) -> int:
    """Close up to `limit` expired bans; return how many. Safe to run twice, late, or concurrently:
    rows that another sweep has locked are skipped.

    Three statements for any number of bans. `tests/moderation/plain_decisions.py` says the same in
    the ORM.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"now": now, "limit": limit})
        lines = [line for (line,) in cursor.fetchall()]
    announcements.announce_many("user.ban_ended", lines, cause=BanEnd.EXPIRED)
    return len(lines)


def note_sweep(*, closed: int, now: datetime) -> None:
    """Record when the sweep ran, for the health page."""
    SweepRun.objects.update_or_create(pk=1, defaults={"ran_at": now, "closed": closed})


@dataclass(frozen=True)
class SweepHealth:
    """`most_overdue` is how long ago the first unclosed ban expired; zero when there is none."""

    last_run: datetime | None
    most_overdue: timedelta
    now: datetime

    @property
    def is_well(self) -> bool:
        return (
            self.last_run is not None
            and self.now - self.last_run < OVERDUE_AFTER
            and self.most_overdue < OVERDUE_AFTER
        )


def sweep_health(*, now: datetime) -> SweepHealth:
    run = SweepRun.objects.filter(pk=1).first()
    oldest = (
        Ban.objects.due(now).order_by("expires_at").values_list("expires_at", flat=True).first()
    )
    return SweepHealth(
        last_run=run.ran_at if run else None,
        most_overdue=now - oldest if oldest else timedelta(0),
        now=now,
    )
