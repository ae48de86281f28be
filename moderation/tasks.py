"""The ban sweep, retention of bans, and samples of the figures. Bans are selected by time, so each
may run twice, late, or concurrently.
"""

import threading
from typing import Any

from celery import shared_task
from django.utils import timezone

from moderation import ban_retention, ban_sweep, figure_history, last_day

# Sweeps that one worker runs at once. Batches are shared out by locks, so more of them are faster
# while the database has cores to spare; the worker's other threads have other work.
AT_ONCE = 2
HELPERS = 3  # how many sweeps one calls for that finds more than a batch
_slots = threading.BoundedSemaphore(AT_ONCE)


@shared_task
def expire_bans(**_: Any) -> None:
    """Do nothing if all slots are taken: the sweeps that run close all that is due."""
    if _slots.acquire(blocking=False):
        try:
            _sweep()
        finally:
            _slots.release()


@shared_task
def sample_figures(**_: Any) -> None:
    now = timezone.now()
    last_day.sample_online(now=now)
    figure_history.keep(now=now)


@shared_task
def forget_bans(**_: Any) -> None:
    while ban_retention.forget_old(now=timezone.now()):
        pass


def _sweep() -> None:
    closed = 0
    while batch := ban_sweep.expire_due(now=timezone.now()):
        if not closed and batch == ban_sweep.SWEEP_BATCH:
            for _helper in range(HELPERS):
                expire_bans.apply_async(expires=1)
        closed += batch
    ban_sweep.note_sweep(closed=closed, now=timezone.now())
