"""Celery tasks. Each may run twice, late, or concurrently."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from applications.tasks import work_off
from transfers import exports, imports


@shared_task
def run_import(*, job_id: int, **_: Any) -> None:
    work_off(
        run_import, lambda: imports.run_batch(job_id=job_id, now=timezone.now()), job_id=job_id
    )


@shared_task
def resume_imports(**_: Any) -> None:
    for job_id in imports.stalled(now=timezone.now()):
        run_import.delay(job_id=job_id)


@shared_task
def run_export(*, job_id: int, **_: Any) -> None:
    work_off(
        run_export, lambda: exports.run_batch(job_id=job_id, now=timezone.now()), job_id=job_id
    )


@shared_task
def resume_exports(**_: Any) -> None:
    for job_id in exports.stalled(now=timezone.now()):
        run_export.delay(job_id=job_id)


@shared_task
def forget_transfers(**_: Any) -> None:
    while imports.forget_old(now=timezone.now()):
        pass
    while exports.forget_old(now=timezone.now()):
        pass
