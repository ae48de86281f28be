"""The quota: how many app users an environment may have, how many it has, how fast it fills.

`users.admission` enforces it.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.counting import Count, count
from applications.models import AuditEvent, Environment
from users.models import AppUser, RegistrationTally

# The number of days over which registrations per day are averaged.
PACE_DAYS = 14
THRESHOLDS = (80, 95, 100)  # percent


class QuotaExceeded(Exception):
    """No place is free. The text gives the limit, how many are used, and how to free places.
    `environment` is for callers who suggest whom to delete.
    """

    def __init__(
        self,
        *,
        limit: int,
        used: Count,
        is_development: bool,
        environment: Environment | None = None,
    ):
        self.limit, self.used, self.environment = limit, used, environment
        # Whom to delete, once somebody has asked: user_id and reason.
        self.candidates: list[dict[str, str]] | None = None
        remedy = (
            gettext("Delete test users on the console's Quota page to free places.")
            if is_development
            else gettext("Upgrade the plan to starter or pro, or deactivate users.")
        )
        super().__init__(
            gettext("{used} of {limit} users are registered. {remedy}").format(
                used=used, limit=limit, remedy=remedy
            )
        )


@dataclass(frozen=True)
class Usage:
    """The quota meter of an environment."""

    users: Count
    limit: int | None
    per_day: float  # registrations per day, over the last `PACE_DAYS`

    @property
    def free(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.users.value, 0)

    @property
    def percent(self) -> int | None:
        return None if self.limit is None else min(100 * self.users.value // self.limit, 100)

    @property
    def full_in_days(self) -> int | None:
        """Days until the quota is full at the current pace: 0 if it is full; None if there is no
        limit, or if nobody has registered lately.
        """
        if self.free is None:
            return None
        if self.free == 0:
            return 0
        return max(1, round(self.free / self.per_day)) if self.per_day else None


def usage(*, environment: Environment, now: datetime) -> Usage:
    """The environment's usage of its quota. Two queries."""
    pace = registrations_per_day(environment=environment, now=now, days=PACE_DAYS)
    return Usage(
        users=count(AppUser.objects.filter(environment=environment)),
        limit=environment.user_limit,
        per_day=sum(number for _, number in pace) / PACE_DAYS,
    )


def registrations_per_day(
    *, environment: Environment, now: datetime, days: int
) -> list[tuple[date, int]]:
    """(day, count) for each of the last `days` days in UTC, oldest first, today last."""
    first = now.date() - timedelta(days=days - 1)
    counts = dict(
        RegistrationTally.objects.filter(environment=environment, day__gte=first)
        .values_list("day")
        .annotate(total=Sum("count"))
        .order_by()
    )
    return [
        (day, counts.get(day, 0)) for day in (first + timedelta(days=past) for past in range(days))
    ]


def history(
    *, environment: Environment, now: datetime, days: int, used: int
) -> list[tuple[date, int]]:
    """(day, places taken at its end) for each of the last `days` days in UTC, today last with
    `used`. Computed backwards from `used`: registrations by day, and the audit's lines about users
    who were deleted, deactivated or brought back. Two queries.
    """
    registered = registrations_per_day(environment=environment, now=now, days=days)
    midnight = datetime.combine(registered[0][0], time.min, UTC)
    lines = AuditEvent.objects.filter(environment=environment, at__gte=midnight).filter(
        Q(type__in=[AuditType.USER_DELETED, AuditType.DELETION_UNDONE])
        | Q(type=AuditType.USER_DEACTIVATED, before__registered=True)
    )
    changed = Counter(dict(registered))
    by_day = lines.annotate(day=TruncDate("at", tzinfo=UTC)).values_list("day", "type")
    for day, type, number in by_day.annotate(models.Count("pk")).order_by():
        changed[day] += number if type == AuditType.DELETION_UNDONE else -number
    held = []
    for day, _ in reversed(registered):
        held.append((day, max(used, 0)))
        used -= changed[day]
    return held[::-1]


def lock(environment: Environment) -> int | None:
    """Lock the environment's row if the environment has a limit; return the limit, None if there is
    none. The plan is read again under the lock, because it may just have changed.
    """
    if environment.user_limit is None:
        return None
    # NO KEY: inserts of rows that reference the environment need not wait.
    return Environment.objects.select_for_update(no_key=True).get(pk=environment.pk).user_limit


def free_places(environment: Environment) -> int | None:
    """How many places are free; None if there is no limit."""
    limit = environment.user_limit
    return None if limit is None else max(limit - _used(environment, limit), 0)


def note_thresholds(
    environment: Environment, *, limit: int, used: int, added: int, now: datetime
) -> None:
    """Record in the audit log which of `THRESHOLDS` the quota has reached by `added` registrations,
    with `used` users before.
    """
    for percent in THRESHOLDS:
        if 100 * used < percent * limit <= 100 * (used + added):
            audit.record(
                AuditType.QUOTA_REACHED,
                environment=environment,
                by=Actor.system("quota"),
                now=now,
                after={"percent": percent, "used": used + added, "limit": limit},
            )


def _used(environment: Environment, limit: int) -> int:
    # Counts to limit + 1 at most: after a downgrade there may be millions of users. Not a number
    # to show.
    return AppUser.objects.filter(environment=environment)[: limit + 1].count()
