"""What the sessions of this process count (`applications.metrics`, `applications.hourly`)."""

import functools
import time
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from applications import hourly, metrics
from applications.hourly import Figure

if TYPE_CHECKING:
    from gateway.session import Session


def opened(session: "Session") -> None:
    """The session was admitted; it calls `over` once."""
    _open(type(session)).inc()
    metrics.OPENED.labels(_protocol(type(session))).inc()


def over(session: "Session") -> None:
    _open(type(session)).dec()


def kicked(*, since: float | None) -> None:
    """A kick was carried out that was committed at this Unix time."""
    if since is not None:
        metrics.KICKS.observe(max(time.time() - since, 0))  # clocks of machines differ


def refused(environment_id: int, what: Figure) -> None:
    """A rule refused a client or a message of this environment."""
    hourly.note(environment_id, what, at=time.time())


def _protocol(kind: "type[Session]") -> str:
    """The name of the folder that speaks it."""
    return kind.__module__.split(".")[1]


@functools.cache
def _open(kind: "type[Session]") -> Gauge:
    return metrics.CONNECTIONS.labels(_protocol(kind))
