"""The figures of the installation: how late each kind of background work is, how busy the stores
are, and what the processes of this machine have counted. For Prometheus (`rollcall.metrics`), the
probe (`rollcall.health`) and the page Health.

It is in the highest app of the domain because it reads from all of them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.db import Error
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from applications import audit_seals, delivery_health, load, metrics
from moderation import ban_sweep
from users import deactivation, lease_sweep


@dataclass(frozen=True)
class Work:
    """A kind of background work. `late`: for how long the oldest of what is due has waited. `wrong`
    says what follows from being late.
    """

    name: str
    title: str
    late: timedelta
    is_well: bool
    wrong: str
    now: datetime
    last_run: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """Since when it has been behind; None if it is not, or never ran."""
        return self.now - self.late if self.late else self.last_run


def _bans(now: datetime) -> Work:
    health = ban_sweep.sweep_health(now=now)
    wrong = "Bans that have ended are not closed yet; they are not in force"
    if not health.most_overdue:
        wrong = "The sweep of ended bans does not run"
    return Work(
        "ban_sweep", "Ban sweep", health.most_overdue, health.is_well, wrong, now, health.last_run
    )


def _leases(now: datetime) -> Work:
    health = lease_sweep.health(now=now)
    wrong = "Test users whose lease has ended are not deleted yet"
    return Work("leases", "Leases of test users", health.most_overdue, health.is_well, wrong, now)


def _erasure(now: datetime) -> Work:
    health = deactivation.erasure_health(now=now)
    wrong = "Messages of deactivated users are not erased yet; nobody gets them"
    return Work(
        "erasure", "Erasure of deactivated users", health.waiting, health.is_well, wrong, now
    )


def _seals(now: datetime) -> Work:
    health = audit_seals.seal_health(now=now)
    wrong = "Lines of the audit trail wait for a seal"
    return Work(
        "audit_seals",
        "Seals of the audit trail",
        health.waiting,
        health.is_well,
        wrong,
        now,
        health.last,
    )


def _webhooks(now: datetime) -> Work:
    health = delivery_health.sender_health(now=now)
    wrong = "Nobody sends deliveries that are due, to endpoints that are not paused"
    return Work("webhooks", "Sending of webhooks", health.waiting, health.is_well, wrong, now)


WORK: dict[str, Callable[[datetime], Work]] = {
    "ban_sweep": _bans,
    "leases": _leases,
    "erasure": _erasure,
    "audit_seals": _seals,
    "webhooks": _webhooks,
}


def works(*, now: datetime) -> list[Work]:
    return [look(now) for look in WORK.values()]


def read(*, now: datetime) -> list[Metric]:
    """All figures. A store that does not answer leaves its own out, and its
    `rollcall_store_up` is 0.
    """
    up = GaugeMetricFamily(
        "rollcall_store_up", "Whether a store answers: the database, Redis", labels=["store"]
    )
    found = metrics.collected()
    parts: Iterable[tuple[str, Callable[[datetime], Iterator[Metric]]]] = (
        ("database", _of_the_database),
        ("redis", _of_redis),
    )
    for store, look in parts:
        try:
            found += look(now)
            up.add_metric([store], 1)
        except (Error, redis.RedisError):
            up.add_metric([store], 0)
    return [*found, up]


def _of_the_database(now: datetime) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "rollcall_work_lag_seconds",
        "How long the oldest of what is due has waited, by kind of background work",
        labels=["work"],
    )
    is_late = GaugeMetricFamily(
        "rollcall_work_is_late", "Whether /readyz calls this work late", labels=["work"]
    )
    for work in works(now=now):
        lag.add_metric([work.name], work.late.total_seconds())
        is_late.add_metric([work.name], int(not work.is_well))
    yield lag
    yield is_late
    waiting = delivery_health.waiting(now=now)
    yield GaugeMetricFamily(
        "rollcall_webhook_deliveries_waiting",
        "Deliveries that wait for an attempt; an estimate beyond 10,000",
        waiting.number.value,
    )
    yield GaugeMetricFamily(
        "rollcall_webhook_oldest_waiting_seconds",
        "How long ago the event of the oldest of them happened",
        waiting.oldest.total_seconds(),
    )
    sessions = load.sessions()
    states = GaugeMetricFamily(
        "rollcall_database_sessions", "Sessions of the database server, by state", labels=["state"]
    )
    for state, count in sessions.by_state.items():
        states.add_metric([state], count)
    yield states
    yield GaugeMetricFamily(
        "rollcall_database_sessions_limit",
        "How many sessions the server allows (max_connections)",
        sessions.limit,
    )
    yield GaugeMetricFamily(
        "rollcall_database_lock_waits", "Sessions that wait for a lock", sessions.waiting
    )


def _of_redis(now: datetime) -> Iterator[Metric]:
    queue = load.queue(now=now)
    yield GaugeMetricFamily("rollcall_queue_tasks", "Tasks that wait for a worker", queue.tasks)
    yield GaugeMetricFamily(
        "rollcall_queue_oldest_seconds", "How long the oldest of them has waited", queue.oldest
    )
