"""What the processes of this machine count, for Prometheus and the page Health.

Invariants
----------
* Each process writes its figures to a file of its own in `PROMETHEUS_MULTIPROC_DIR`
  (`rollcall.settings` sets it), so any process can answer for all of the machine. Without that
  variable a process knows only its own figures.
* A label has few values, and never a user, an environment or an address: each combination is kept
  by each process for as long as it runs.
* Counting an API call costs about 4 µs (docs/monitoring.md).
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Seconds. A call takes about a millisecond; what takes longer than a vendor's timeout is all one.
_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SLOW = (0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 86_400)

# Names → metrics of this process.
registry = CollectorRegistry()


def _histogram(
    name: str, text: str, labels: Iterable[str], buckets: tuple[float, ...]
) -> Histogram:
    return Histogram(name, text, tuple(labels), buckets=buckets, registry=registry)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, labels, registry=registry)


API_CALLS = _histogram(
    "rollcall_api_call_seconds",
    "Server API calls and how long they took",
    ("vendor", "call", "status"),
    _QUICK,
)
PAGES = _histogram(
    "rollcall_page_seconds", "Pages of the console and how long they took", ("status",), _QUICK
)
QUOTA_REFUSALS = _counter(
    "rollcall_quota_refusals", "Registrations refused because the quota is full", "environment"
)
CONNECTIONS = Gauge(
    "rollcall_gateway_connections",
    "Open connections of chat clients",
    ["protocol"],
    multiprocess_mode="livesum",
    registry=registry,
)
OPENED = _counter("rollcall_gateway_connections_opened", "Connections admitted", "protocol")
CLOSED = _counter(
    "rollcall_gateway_connections_closed", "Connections closed by the server, by reason", "reason"
)
KICKS = _histogram(
    "rollcall_gateway_kick_seconds",
    "Connections kicked, and how long after the commit they were closed",
    (),
    _QUICK,
)
DATABASE_WAITS = _histogram(
    "rollcall_gateway_database_wait_seconds",
    "Queries of the gateway, and how long they waited for one of GATEWAY_THREADS",
    (),
    _QUICK,
)
TASKS = _histogram(
    "rollcall_task_seconds", "Tasks of the worker", ("task", "result"), (*_QUICK, 15, 60)
)
WEBHOOK_ATTEMPTS = _counter(
    "rollcall_webhook_attempts", "Attempts to deliver to a webhook endpoint", "result"
)
WEBHOOK_LAG = _histogram("rollcall_webhook_lag_seconds", "From an event to its delivery", (), _SLOW)
BUS_MESSAGES = _counter("rollcall_bus_messages", "Messages between processes", "result")

# So that these exist from the start: an alert cannot see a first increase from nothing.
for _result in ("sent", "dropped", "unreadable"):
    BUS_MESSAGES.labels(_result)
for _result in ("delivered", "failed"):
    WEBHOOK_ATTEMPTS.labels(_result)
for _kind in ("development", "production"):
    QUOTA_REFUSALS.labels(_kind)


@cache
def api_call(vendor: str, call: str, status: int) -> Histogram:
    """The series of such calls. Looking it up here costs less than `labels`."""
    return API_CALLS.labels(vendor, call, str(status))


def collected() -> list[Metric]:
    """The figures of all processes of this machine."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _forget_dead(Path(folder))
        collector = MultiProcessCollector(CollectorRegistry(), folder)  # type: ignore[no-untyped-call]
        return list(collector.collect())  # type: ignore[no-untyped-call]
    return list(registry.collect())


def _forget_dead(folder: Path) -> None:
    """Connections end with their process; what it has counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        with suppress(ValueError):
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]
            except PermissionError:
                pass  # it runs as another user


def start_anew() -> None:
    """Forget what earlier processes of this machine have counted. Only while none runs."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        own = f"_{os.getpid()}.db"
        for file in Path(folder).glob("*.db"):
            if not file.name.endswith(own):
                file.unlink(missing_ok=True)
