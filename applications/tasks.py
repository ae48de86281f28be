"""Webhook deliveries, seals of the audit trail, retention, and how the tasks of jobs run. Tasks
find work by its state, so they may run twice, late or concurrently.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from celery import shared_task
from django.utils import timezone

from applications import (
    audit_retention,
    audit_seals,
    deliveries,
    request_log,
    seal_copies,
    staff_sessions,
)

# Consecutive turns of one endpoint before the others get theirs.
TURNS = 10
# Endpoints that one worker sends to at once. The worker has more threads, so that endpoints that
# hang do not block other tasks.
AT_ONCE = 8
_slots = threading.BoundedSemaphore(AT_ONCE)


# Well under the time after which the broker gives a task to another worker.
_SECONDS = 60


def work_off(task: Any, batch: Callable[[], bool], **arguments: Any) -> None:
    """Do the batches of a job until `batch` says that there is none; after a minute, leave the rest
    to another run of the same task.
    """
    until = monotonic() + _SECONDS
    while batch():
        if monotonic() > until:
            task.delay(**arguments)
            return


@shared_task
def send_deliveries(**_: Any) -> None:
    """Queue a task for each endpoint, so that a slow one does not delay the others."""
    for webhook_id in deliveries.endpoints_with_work(now=timezone.now()):
        send_to_endpoint.apply_async(kwargs={"webhook_id": webhook_id}, expires=60)


@shared_task
def send_to_endpoint(*, webhook_id: int, **_: Any) -> None:
    """Do nothing if all slots are taken: the next sweep finds the endpoint again."""
    if _slots.acquire(blocking=False):
        try:
            _take_turns(webhook_id)
        finally:
            _slots.release()


def _take_turns(webhook_id: int) -> None:
    for _turn in range(TURNS):
        turn = deliveries.take_turn(webhook_id=webhook_id, now=timezone.now())
        if turn is None:
            return
        results = deliveries.send(turn, now=timezone.now())
        deliveries.settle(turn, results, now=timezone.now())
    send_to_endpoint.apply_async(kwargs={"webhook_id": webhook_id}, expires=60)


@shared_task
def forget_deliveries(**_: Any) -> None:
    deliveries.give_up_old(now=timezone.now())
    while deliveries.forget_old(now=timezone.now()):
        pass


@shared_task
def forget_requests(**_: Any) -> None:
    request_log.forget_old(now=timezone.now())


@shared_task
def forget_audit(**_: Any) -> None:
    while audit_retention.drop_old(now=timezone.now()):
        pass


@shared_task
def forget_sessions(**_: Any) -> None:
    staff_sessions.forget_ended(now=timezone.now())


@shared_task
def seal_audit(**_: Any) -> None:
    """Seal what waits, once a minute, and copy all seals that the file does not have yet."""
    if not audit_seals.is_due(now=timezone.now()):
        return
    seal = audit_seals.seal_next(now=timezone.now())
    while seal is not None and seal.lines == audit_seals.LINES_AT_ONCE:
        seal = audit_seals.seal_next(now=timezone.now(), beyond=seal.last_id)
    seal_copies.bring_up_to_date()
