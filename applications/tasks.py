"""Webhook deliveries. Work is found by state, so a task may run twice, late, or side by side."""

import threading
from typing import Any

from celery import shared_task
from django.utils import timezone

from applications import deliveries

# Turns of one endpoint in a row, before it queues up behind the others.
TURNS = 10
# Endpoints that one worker sends to at once. It has more threads than these, or some that hang
# would hold up every other task.
AT_ONCE = 8
_places = threading.BoundedSemaphore(AT_ONCE)


@shared_task
def send_deliveries(**_: Any) -> None:
    """A task for each endpoint: a slow one holds up nobody else's."""
    for webhook_id in deliveries.endpoints_with_work(now=timezone.now()):
        send_to_endpoint.apply_async(kwargs={"webhook_id": webhook_id}, expires=60)


@shared_task
def send_to_endpoint(*, webhook_id: int, **_: Any) -> None:
    """Does nothing while every place is taken: the next sweep finds the endpoint again."""
    if _places.acquire(blocking=False):
        try:
            _take_turns(webhook_id)
        finally:
            _places.release()


def _take_turns(webhook_id: int) -> None:
    for _turn in range(TURNS):
        turn = deliveries.take_turn(webhook_id=webhook_id, now=timezone.now())
        if turn is None:
            return
        answers = deliveries.send(turn, now=timezone.now())
        deliveries.settle(turn, answers, now=timezone.now())
    send_to_endpoint.apply_async(kwargs={"webhook_id": webhook_id}, expires=60)


@shared_task
def forget_deliveries(**_: Any) -> None:
    deliveries.give_up_old(now=timezone.now())
    while deliveries.forget_old(now=timezone.now()):
        pass
