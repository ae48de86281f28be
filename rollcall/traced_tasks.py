"""The request id of a task: that of the request that asked for it, otherwise the task's own id.

It travels in a header of the message, beside the time at which the message was sent, which tells
how long the oldest one in the queue has waited (`applications.load`).
"""

import logging
import time
from threading import local
from typing import Any

from celery import Task, signals

from applications import load, metrics, tracing

log = logging.getLogger(__name__)

REQUEST_ID = "rollcall_request_id"
_running = local()


@signals.before_task_publish.connect(dispatch_uid=__name__)
def _add_headers(headers: dict[str, Any], **_: Any) -> None:
    headers[REQUEST_ID] = tracing.request_id()
    headers[load.SENT_AT] = time.time()


@signals.task_prerun.connect(dispatch_uid=__name__)
def _begin(task_id: str, task: Task[Any, Any], **_: Any) -> None:
    asked_for_by = getattr(task.request, REQUEST_ID, "")
    _running.is_asked_for = bool(asked_for_by)
    _running.trace, _running.since = tracing.begin(asked_for_by or task_id), time.perf_counter()


@signals.task_postrun.connect(dispatch_uid=__name__)
def _end(task: Task[Any, Any], state: str | None, **_: Any) -> None:
    """A sweep that nobody asked for, every few seconds, is a line only for LOG_LEVEL=DEBUG."""
    seconds, name = time.perf_counter() - _running.since, task.name.replace(".tasks.", ".")
    metrics.TASKS.labels(name, (state or "unknown").lower()).observe(seconds)
    log.log(
        logging.INFO if _running.is_asked_for else logging.DEBUG,
        "task",
        extra={
            "facts": {
                "task": name,
                "state": state,
                "ms": round(1000 * seconds, 1),
                "queries": _running.trace.queries,
            }
        },
    )
    tracing.end()
