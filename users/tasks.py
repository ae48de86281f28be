"""Celery tasks. Each selects its work from the database, makes one domain call at a time, and may
run twice, late, or concurrently.
"""

from typing import Any

from celery import shared_task
from django.utils import timezone

from applications.tasks import work_off
from users import (
    deactivation,
    deletion,
    gateway_processes,
    kept,
    kick_reports,
    lease_sweep,
    messages,
    notices,
)


@shared_task
def run_deletion_job(*, job_id: int, **_: Any) -> None:
    work_off(
        run_deletion_job,
        lambda: deletion.run_batch(job_id=job_id, now=timezone.now()),
        job_id=job_id,
    )


@shared_task
def resume_deletion_jobs(**_: Any) -> None:
    for job_id in deletion.stalled(now=timezone.now()):
        run_deletion_job(job_id=job_id)


@shared_task
def end_leases(**_: Any) -> None:
    while lease_sweep.end_due(now=timezone.now()):
        pass


@shared_task
def purge_deleted(**_: Any) -> None:
    while kept.purge(now=timezone.now()):
        pass


@shared_task
def erase_deactivated(**_: Any) -> None:
    while deactivation.erase_pending(now=timezone.now()):
        pass


@shared_task
def forget_tombstones(**_: Any) -> None:
    while deactivation.reactivate_old(now=timezone.now()):
        pass


@shared_task
def remove_dead_gateways(**_: Any) -> None:
    gateway_processes.remove_dead(now=timezone.now())


@shared_task
def purge_messages(**_: Any) -> None:
    """And notices and reports of kicks that are too old."""
    while messages.purge(now=timezone.now()):
        pass
    while notices.purge(now=timezone.now()):
        pass
    while kick_reports.forget_old(now=timezone.now()):
        pass
