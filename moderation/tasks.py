"""The ban sweep. It chooses its work by the clock, so it may run twice, late, or side by side."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from moderation import bans


@shared_task
def expire_bans(**_: Any) -> None:
    closed = 0
    while batch := bans.expire_due(now=timezone.now()):
        closed += batch
    bans.note_sweep(closed=closed, now=timezone.now())
