"""What a request leaves behind: the same request id in every process that works on it.

Invariants
----------
* A door, a task or a handler of the gateway begins a trace; whatever runs in the same thread (or
  task of the event loop) until the next one begins belongs to it.
* The id travels with what is sent on: in the headers of a task (`rollcall.traced_tasks`), in
  messages between processes (`users.bus`) and in deliveries of webhooks. Nothing depends on it.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class Trace:
    """`queries` counts the statements sent to the database."""

    __slots__ = ("queries", "request_id")

    def __init__(self, request_id: str) -> None:
        self.request_id, self.queries = request_id, 0


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(request_id: str) -> Trace:
    trace = Trace(request_id)
    _current.set(trace)
    return trace


def resume(trace: Trace) -> None:
    """Go on with it, after what it called has begun traces of its own or ended it."""
    _current.set(trace)


def end() -> None:
    _current.set(None)


def request_id() -> str:
    """That of the current trace; "" where there is none."""
    trace = _current.get()
    return trace.request_id if trace is not None else ""


def count_query() -> None:
    trace = _current.get()
    if trace is not None:
        trace.queries += 1


def _counted(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    count_query()
    return execute(sql, params, many, context)


def _count_queries(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _counted not in connection.execute_wrappers:
        connection.execute_wrappers.append(_counted)


connection_created.connect(_count_queries, dispatch_uid=__name__)
