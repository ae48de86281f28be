"""Exports of long lists: a job writes the file, which can be fetched while it lives.

Invariants
----------
* A batch reads one page of the list by keyset and appends one chunk, in one transaction: killed
  half way, the export goes on after the last row that it has. Nothing is read twice, and memory is
  that of a page.
* The list is read while it changes: rows that come or go meanwhile may be in the file or not.
"""

import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from celery import current_app
from django.db import transaction
from django.db.models import F

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from transfers.files import Format
from transfers.models import KEPT, ExportChunk, ExportJob

State = ExportJob.State


class JobNotOpen(Exception):
    """The export has ended already."""


class Part(NamedTuple):
    """A part of the file, how many rows it has, and the cursor of the next one; "": the last."""

    content: bytes
    rows: int
    next: str


# Kind → what reads the next part of its list. The door that offers a list registers it.
readers: dict[str, Callable[[ExportJob, datetime], Part]] = {}


@transaction.atomic
def start(
    *,
    environment: Environment,
    kind: str,
    format: Format,
    query: str,
    expected: int,
    by: Actor,
    now: datetime,
) -> ExportJob:
    """Have a worker write this list to a file. `query` are the filters; `expected` rows."""
    job = ExportJob.objects.create(
        environment=environment,
        kind=kind,
        format=format,
        query=query,
        expected=expected,
        requested_at=now,
        requested_by=by.name,
        progressed_at=now,
    )
    audit.record(
        AuditType.EXPORT_STARTED,
        environment=environment,
        by=by,
        now=now,
        after={"export": job.pk, "kind": kind, **({"filters": query} if query else {})},
    )
    # By name, because the task imports this module. If the broker is not available, the periodic
    # task finds the job.
    transaction.on_commit(
        lambda: current_app.send_task("transfers.tasks.run_export", kwargs={"job_id": job.pk}),
        robust=True,
    )
    return job


@transaction.atomic
def cancel(*, job: ExportJob, by: Actor, now: datetime) -> None:
    """Stop an export; what it has written goes. Raises `JobNotOpen`."""
    running = ExportJob.objects.running().filter(pk=job.pk)
    if not running.update(state=State.CANCELLED, finished_at=now):
        raise JobNotOpen
    audit.record(
        AuditType.EXPORT_CANCELLED,
        environment=job.environment,
        by=by,
        now=now,
        after={"export": job.pk, "kind": job.kind},
    )
    job.chunks.all().delete()


@transaction.atomic
def run_batch(*, job_id: int, now: datetime) -> bool:
    """Append the next part; return whether to call again. False too if another worker has it."""
    job: ExportJob | None = ExportJob.objects.claimed(job_id)
    if job is None:
        return False
    part = readers[job.kind](job, now)
    ExportChunk.objects.create(job=job, number=job.rows, content=zlib.compress(part.content, 6))
    ExportJob.objects.filter(pk=job.pk).update(
        rows=F("rows") + part.rows,
        size=F("size") + len(part.content),
        cursor=part.next,
        progressed_at=now,
        **({} if part.next else {"state": State.DONE, "finished_at": now}),
    )
    return bool(part.next)


def contents(job: ExportJob) -> Iterator[bytes]:
    """The file, a part at a time."""
    numbers = list(job.chunks.order_by("number").values_list("number", flat=True))
    for number in numbers:
        chunk = job.chunks.filter(number=number).first()
        if chunk is None:  # it has lived long enough meanwhile
            return
        yield zlib.decompress(chunk.content)


def stalled(*, now: datetime) -> list[int]:
    """The ids of up to 100 exports that have lost their worker."""
    return ExportJob.objects.stalled(now)


@transaction.atomic
def forget_old(*, now: datetime) -> int:
    """Delete exports that have lived for `KEPT`; how many."""
    old = ExportJob.objects.filter(requested_at__lte=now - KEPT).order_by("requested_at")
    ids = list(old.values_list("pk", flat=True)[:10])
    ExportChunk.objects.filter(job__in=ids).delete()
    deleted, _ = ExportJob.objects.filter(pk__in=ids).delete()
    return deleted
