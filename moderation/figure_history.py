"""The figures of the last hours, one sample a minute, for the page Health: it draws them without
Prometheus, from the same function (`moderation.figures.read`).

Invariants
----------
* Each machine has its own samples, in Redis, at most `SAMPLES`. Nothing rests on them.
* A sample holds sums over all labels: counts since the processes started, and levels of the moment.
"""

import json
import platform
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import redis
from prometheus_client import Metric

from applications import redis_client
from moderation import figures

SAMPLES = 180

# Name of a series → the samples whose sum it is: by name, and the first letters of the label
# `status`, or the value of any other label.
COUNTS = {
    "calls": ("rollcall_api_call_seconds_count", ""),
    "refused": ("rollcall_api_call_seconds_count", "4"),
    "failed": ("rollcall_api_call_seconds_count", "5"),
    "quota": ("rollcall_quota_refusals_total", ""),
    "kicks": ("rollcall_gateway_kick_seconds_count", ""),
    "delivered": ("rollcall_webhook_attempts_total", "delivered"),
    "undelivered": ("rollcall_webhook_attempts_total", "failed"),
    "dropped": ("rollcall_bus_messages_total", "dropped"),
}
LEVELS = {
    "connections": ("rollcall_gateway_connections", ""),
    "queue": ("rollcall_queue_tasks", ""),
    "queue_oldest": ("rollcall_queue_oldest_seconds", ""),
    "bans_late": ("rollcall_work_lag_seconds", "ban_sweep"),
    "erasure_late": ("rollcall_work_lag_seconds", "erasure"),
    "webhooks_oldest": ("rollcall_webhook_oldest_waiting_seconds", ""),
    "lock_waits": ("rollcall_database_lock_waits", ""),
}
# Name of a histogram → its metric.
HISTOGRAMS = {
    "calls": "rollcall_api_call_seconds",
    "kicks": "rollcall_gateway_kick_seconds",
    "database": "rollcall_gateway_database_wait_seconds",
    "lag": "rollcall_webhook_lag_seconds",
}


@dataclass(frozen=True)
class Sample:
    """`buckets`: name of a histogram → upper bound in seconds, as text → how many up to it."""

    at: float  # Unix time, seconds
    counts: dict[str, float]
    levels: dict[str, float]
    buckets: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def sample(found: Iterable[Metric], *, now: datetime) -> Sample:
    by_name: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for metric in found:
        for each in metric.samples:
            by_name[each.name].append((each.labels, each.value))

    def total(name: str, label: str) -> float:
        return sum(
            value
            for labels, value in by_name[name]
            if not label or labels.get("status", "").startswith(label) or label in labels.values()
        )

    buckets: dict[str, dict[str, float]] = {}
    for name, metric_name in HISTOGRAMS.items():
        sums: dict[str, float] = defaultdict(float)
        for labels, value in by_name[f"{metric_name}_bucket"]:
            sums[labels["le"]] += value
        buckets[name] = dict(sums)
    return Sample(
        at=now.timestamp(),
        counts={name: total(*where) for name, where in COUNTS.items()},
        levels={name: total(*where) for name, where in LEVELS.items()},
        buckets=buckets,
    )


def keep(*, now: datetime) -> None:
    """Add a sample. Raises `redis.RedisError`."""
    text = json.dumps(asdict(sample(figures.read(now=now), now=now)))
    with redis_client.client().pipeline(transaction=False) as pipeline:
        pipeline.lpush(_key(), text)
        pipeline.ltrim(_key(), 0, SAMPLES - 1)
        pipeline.execute()


def lately(number: int = SAMPLES) -> list[Sample]:
    """The samples of this machine, oldest first; none while Redis is away."""
    try:
        found = redis_client.client().lrange(_key(), 0, number - 1)
    except redis.RedisError:
        return []
    return [Sample(**json.loads(text)) for text in reversed(list(found))]


def _key() -> str:
    return f"rollcall:figures:{platform.node()}"
