"""The ban sweep. It selects bans by time, so it may run twice, late, or concurrently."""

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
