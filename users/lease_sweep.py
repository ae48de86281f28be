"""The sweep deletes users whose lease has ended, by a deletion job for each environment.

Invariants
----------
* A due lease is moved into exactly one job, however many sweeps run: its row is locked, and the
  lease leaves it in the transaction that writes the job. If staff stop that job, the users who are
  left stay, without a lease.
* The job's list says when each lease ended, and who was online.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from applications.audit import Actor
from applications.models import Environment
from users import deletion, presence
from users.models import AppUser, Place

AT_ONCE = 500
# Beyond this, the sweep counts as overdue on the health page.
OVERDUE_AFTER = timedelta(minutes=1)
SWEEP = Actor.system("lease sweep")


@transaction.atomic
def end_due(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Start jobs that delete up to `limit` users whose lease has ended; return how many users. Safe
    to run twice, late, or concurrently.
    """
    due = list(
        Place.objects.due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("user__environment__application")
        .order_by("lease_until")[:limit]
    )
    by_environment: dict[Environment, list[Place]] = defaultdict(list)
    for place in due:
        by_environment[place.user.environment].append(place)
    Place.objects.filter(pk__in=[place.pk for place in due]).update(lease_until=None)
    for environment, places in by_environment.items():
        online = presence.online(
            environment=environment, user_ids=[place.user.user_id for place in places], now=now
        )
        job = deletion.preview(
            environment=environment,
            candidates=[_candidate(place, place.user.user_id in online) for place in places],
            by=SWEEP,
            now=now,
        )
        deletion.confirm(job=job, by=SWEEP, now=now)
    return len(due)


def _candidate(place: Place, online: bool) -> tuple[AppUser, str]:
    assert place.lease_until is not None  # noqa: S101  # it is due
    ended = f"Lease ended {place.lease_until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return place.user, f"{ended}; was online" if online else ended


@dataclass(frozen=True)
class LeaseHealth:
    """`most_overdue` is how long ago the first lease ended that no job has, or zero."""

    most_overdue: timedelta

    @property
    def is_well(self) -> bool:
        return self.most_overdue < OVERDUE_AFTER


def health(*, now: datetime) -> LeaseHealth:
    oldest = (
        Place.objects.due(now).order_by("lease_until").values_list("lease_until", flat=True).first()
    )
    return LeaseHealth(now - oldest if oldest else timedelta(0))
