"""Webhook deliveries. Work is found by state, so the task may run twice, late, or side by side."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from applications import deliveries

BATCH = 50


@shared_task
def send_deliveries(**_: Any) -> None:
    """Hand each due delivery to a task of its own: a slow endpoint holds up nobody else's."""
    while claimed := deliveries.claim(now=timezone.now(), limit=BATCH):
        for delivery_id in claimed:
            send_delivery.delay(delivery_id=delivery_id)


@shared_task
def send_delivery(*, delivery_id: int, **_: Any) -> None:
    deliveries.attempt(delivery_id=delivery_id, now=timezone.now())


@shared_task
def forget_deliveries(**_: Any) -> None:
    while deliveries.forget_old(now=timezone.now()):
        pass
