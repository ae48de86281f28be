"""The sweep closes bans that have expired, and reports how late it is.

Invariant: the sweep decides nothing. A ban is in force while `expires_at > now`, however late the
sweep is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from moderation import ban_ledger
from moderation.models import Ban, SweepRun

SWEEP_BATCH = 500
# Beyond this, the sweep counts as overdue on the health page.
OVERDUE_AFTER = timedelta(minutes=1)


@transaction.atomic
def expire_due(*, now: datetime, limit: int = SWEEP_BATCH) -> int:
    """Close up to `limit` expired bans; return how many. Safe to run twice, late, or concurrently:
    rows that another sweep has locked are skipped.
    """
    due = list(
        Ban.objects.due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("environment")
        .order_by("expires_at")[:limit]
    )
    ban_ledger.close_expired(due, now=now)
    return len(due)


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
