"""The ban sweep. It chooses its work by the clock, so it may run twice, late, or side by side."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from moderation import ban_sweep


@shared_task
def expire_bans(**_: Any) -> None:
    closed = 0
    while batch := ban_sweep.expire_due(now=timezone.now()):
        closed += batch
    ban_sweep.note_sweep(closed=closed, now=timezone.now())
