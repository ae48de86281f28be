"""How the kicks of an act were carried out: by which gateway processes, and how fast.

Invariants
----------
* Kicks and the audit line of their cause have the same time, which finds one from the other.
* A report says no more about a user than the audit line does: neither device nor address.
* Reports are for receipts, not for law: they are deleted after `KEPT`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Sum

from applications.models import Environment
from users.models import Connection, GatewayProcess, KickReport

KEPT = timedelta(days=90)


def report(closed: Iterable[Connection], *, at: datetime) -> None:
    """Record those of these closed connections that were kicked. Two queries, or none."""
    counted = Counter(
        (each.environment_id, each.user_id, each.gateway_id, each.kicked_at)
        for each in closed
        if each.kicked_at is not None
    )
    if not counted:
        return
    gateways = {gateway_id for _, _, gateway_id, _ in counted}
    names = dict(GatewayProcess.objects.filter(pk__in=gateways).values_list("pk", "name"))
    KickReport.objects.bulk_create(
        [
            KickReport(
                environment_id=environment_id,
                user_id=user_id,
                gateway=names.get(gateway_id, ""),
                kicked_at=kicked_at,
                closed_at=max(at, kicked_at),  # clocks of machines differ
                connections=count,
            )
            for (environment_id, user_id, gateway_id, kicked_at), count in counted.items()
        ],
        batch_size=500,
    )


@dataclass(frozen=True)
class Carried:
    """What one gateway process has done: connections closed, and after how long the last one."""

    gateway: str
    connections: int
    within: timedelta


@dataclass(frozen=True)
class Outcome:
    """What became of the kicks of one act. `waiting`: connections that are not closed yet."""

    carried: Sequence[Carried]
    waiting: int

    @property
    def connections(self) -> int:
        return sum(each.connections for each in self.carried) + self.waiting


def outcome(*, environment: Environment, user_id: str, kicked_at: datetime) -> Outcome:
    """Of the act at this moment; with `user_id` "" for all users whom it concerned. Two queries."""
    about = {"environment": environment, "kicked_at": kicked_at}
    if user_id:
        about["user_id"] = user_id
    reports = KickReport.objects.filter(**about).values("gateway")
    found = reports.annotate(closed=Sum("connections"), last=Max("closed_at")).order_by("gateway")
    waiting = Connection.objects.filter(**about).aggregate(number=Count("pk"))["number"]
    return Outcome(
        [Carried(each["gateway"], each["closed"], each["last"] - kicked_at) for each in found],
        waiting,
    )


def closed_at_moments(
    *, environment: Environment, moments: Iterable[datetime]
) -> dict[tuple[str, datetime], int]:
    """(user_id, moment) → how many connections were closed by the act of that moment. One query."""
    found = KickReport.objects.filter(environment=environment, kicked_at__in=set(moments))
    counted = found.order_by().values_list("user_id", "kicked_at").annotate(Sum("connections"))
    return {(user_id, moment): count for user_id, moment, count in counted}


def forget_old(*, now: datetime, limit: int = 5_000) -> int:
    """Delete up to `limit` reports older than `KEPT`; return how many."""
    old = KickReport.objects.filter(closed_at__lt=now - KEPT).values_list("pk", flat=True)[:limit]
    return KickReport.objects.filter(pk__in=list(old)).delete()[0]
