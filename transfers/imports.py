"""Imports: a file is uploaded, each line gets a verdict, and once confirmed the good ones are done.

Invariants
----------
* Until it is confirmed, an import changes nothing. Lines that are broken are left out only if
  whoever confirms says so.
* Checking and importing are one job, of batches (`applications.models.jobs`). A batch and the
  results of its lines are one transaction: killed half way, an import goes on where it was, and no
  line is imported twice.
* Repeated, an import changes nothing: what exists already stays as it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import IO, Any

from celery import current_app
from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef
from django.utils.translation import gettext, ngettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import AuditEvent, Environment
from transfers import files
from transfers.kinds import KINDS
from transfers.kinds.base import Kind, Verdict, Verdicts
from transfers.models import KEPT, ImportJob, ImportRow
from users.models import Connection

State, Result = ImportJob.State, ImportRow.Result
CHECKED_AT_ONCE = 2_000
# With these, a line is not imported.
NOT_IMPORTED = (Result.BROKEN, Result.OVER_QUOTA, Result.REFUSED)


class JobNotOpen(Exception):
    """The job's state does not allow this: somebody else has changed it meanwhile."""


class HasBrokenLines(Exception):
    """Some lines are broken, and nobody has said that the others may go without them."""


class NothingToImport(Exception):
    """No line is ready."""


@transaction.atomic
def upload(
    *,
    environment: Environment,
    kind: Kind,
    file: IO[bytes],
    name: str,
    by: Actor,
    now: datetime,
) -> ImportJob:
    """Store the lines of a file, to be checked. `name` says the format. Raises `files.BadFile`."""
    columns, records = files.read(file, name)
    if columns and (missing := [each for each in kind.required if each not in columns]):
        raise files.BadFile(
            ngettext(
                "The first line names the columns, and {missing} is not among them. "
                "It is: {columns}",
                "The first line names the columns, and {missing} are not among them. "
                "It is: {columns}",
                len(missing),
            ).format(missing=gettext(" and ").join(missing), columns=", ".join(columns)[:200])
        )
    job = ImportJob.objects.create(
        environment=environment,
        kind=kind.name,
        file_name=name[-150:],
        uploaded_at=now,
        uploaded_by=by.name,
        uploaded_kind=by.kind,
        progressed_at=now,
    )
    seen: set[str] = set(columns)
    empty = True
    parsed = _rows(job, kind, records, seen)
    while batch := list(islice(parsed, CHECKED_AT_ONCE)):
        ImportRow.objects.bulk_create(batch)
        empty = False
    if empty:
        raise files.BadFile(gettext("The file has no rows."))
    ours = {column.name for column in kind.columns}
    job.ignored = sorted(seen - ours)[:30]
    job.save(update_fields=["ignored"])
    audit.record(
        AuditType.IMPORT_CHECKED,
        environment=environment,
        by=by,
        now=now,
        after={"import": job.pk, "kind": kind.name, "file": job.file_name},
    )
    _send(job)
    return job


def _rows(
    job: ImportJob, kind: Kind, records: Iterable[files.Record], seen: set[str]
) -> Iterator[ImportRow]:
    for record in records:
        if len(seen) < 100:
            seen.update(record.values)
        values, problem = ({}, record.problem) if record.problem else kind.parsed(record.values)
        if problem:
            # As it was, so that it can be mended in the list of what was not imported.
            values = {name[:100]: text[:500] for name, text in record.values.items()}
        yield ImportRow(
            job=job,
            line=record.line,
            key="" if problem else kind.key_of(values),
            values=values,
            result=Result.BROKEN if problem else Result.UNCHECKED,
            problem=problem[:300],
        )


@transaction.atomic
def confirm(*, job: ImportJob, skip_broken: bool, by: Actor, now: datetime) -> None:
    """Start a checked import. Raises `JobNotOpen`, `NothingToImport`, and `HasBrokenLines` unless
    `skip_broken`.
    """
    numbers = progress(job)
    if not numbers.get(Result.READY):
        raise NothingToImport
    if numbers.get(Result.BROKEN) and not skip_broken:
        raise HasBrokenLines
    confirmed = ImportJob.objects.filter(pk=job.pk, state=State.PREVIEWED).update(
        state=State.RUNNING,
        confirmed_at=now,
        confirmed_by=by.name,
        confirmed_kind=by.kind,
        progressed_at=now,
    )
    if not confirmed:
        raise JobNotOpen
    _record(AuditType.IMPORT_STARTED, job, by, now, lines=numbers[Result.READY])
    _send(job)


@transaction.atomic
def cancel(*, job: ImportJob, by: Actor, now: datetime) -> None:
    """Discard an import that is not confirmed, or stop it after its current batch. Raises
    `JobNotOpen`.
    """
    open = [State.CHECKING, State.PREVIEWED, State.RUNNING]
    cancelled = ImportJob.objects.filter(pk=job.pk, state__in=open).update(
        state=State.CANCELLED, finished_at=now
    )
    if not cancelled:
        raise JobNotOpen
    _record(AuditType.IMPORT_CANCELLED, job, by, now)


@transaction.atomic
def run_batch(*, job_id: int, now: datetime) -> bool:
    """Check or import the next lines of a job; return whether to call again.

    Also returns False if another worker has locked the job.
    """
    job: ImportJob | None = ImportJob.objects.claimed(job_id)
    if job is None:
        return False
    kind = KINDS[job.kind]
    checking = job.state == State.CHECKING
    size = CHECKED_AT_ONCE if checking else kind.batch
    waiting = Result.UNCHECKED if checking else Result.READY
    rows = list(job.rows.filter(result=waiting).order_by("line")[:size])
    if not rows:
        _finish(job, now)
        return False
    if checking:
        _note(_checked(job, kind, rows, now), now)
    else:
        _note(kind.perform(job.environment, rows, by=_actor(job), now=now), now)
    ImportJob.objects.filter(pk=job.pk).update(progressed_at=now)
    return True


def _checked(job: ImportJob, kind: Kind, rows: list[ImportRow], now: datetime) -> Verdicts:
    """The verdicts on these lines; a key that an earlier line has is there already."""
    earlier = dict(
        job.rows.filter(key__in={row.key for row in rows})
        .values_list("key")
        .annotate(first=Min("line"))
    )
    twice = [row for row in rows if earlier[row.key] < row.line]
    # Counted as far as it matters: to count all for each batch takes longer with each line.
    places = job.environment.user_limit
    ahead = 0 if places is None else job.rows.filter(result=Result.READY)[:places].count()
    others = [row for row in rows if earlier[row.key] == row.line]
    by = _actor(job)
    found = kind.verdicts(job.environment, others, by=by, ahead=ahead, now=now)
    return found | {
        row.pk: Verdict(Result.EXISTS, f"Line {earlier[row.key]} is the same") for row in twice
    }


def _note(verdicts: Verdicts, now: datetime) -> None:
    alike: dict[Verdict, list[int]] = defaultdict(list)
    for pk, verdict in verdicts.items():
        alike[verdict].append(pk)
    for (result, problem), keys in alike.items():
        ImportRow.objects.filter(pk__in=keys).update(result=result, problem=problem[:300])


def _finish(job: ImportJob, now: datetime) -> None:
    if job.state == State.CHECKING:
        ImportJob.objects.filter(pk=job.pk).update(state=State.PREVIEWED, progressed_at=now)
        return
    ImportJob.objects.filter(pk=job.pk).update(state=State.DONE, finished_at=now, progressed_at=now)
    _record(AuditType.IMPORT_FINISHED, job, _actor(job), now, **progress(job))


def _actor(job: ImportJob) -> Actor:
    """Whoever has confirmed it, before that whoever uploads it."""
    kind = AuditEvent.ActorKind(job.confirmed_kind or job.uploaded_kind)
    return Actor(kind=kind, name=job.confirmed_by or job.uploaded_by, via=f"import {job.pk}")


def _record(type: AuditType, job: ImportJob, by: Actor, now: datetime, **after: Any) -> None:
    after = {"import": job.pk, "kind": job.kind, **after}
    audit.record(type, environment=job.environment, by=by, now=now, after=after)


def _send(job: ImportJob) -> None:
    # By name, because the task imports this module. If the broker is not available, the periodic
    # task finds the job.
    transaction.on_commit(
        lambda: current_app.send_task("transfers.tasks.run_import", kwargs={"job_id": job.pk}),
        robust=True,
    )


def progress(job: ImportJob) -> dict[str, int]:
    """result → number of lines that have it, without zeros."""
    return dict(job.rows.order_by("result").values_list("result").annotate(number=Count("pk")))


def connected(job: ImportJob, *, now: datetime) -> int:
    """How many users of the lines that are ready are connected now: a ban disconnects them."""
    ready = job.rows.filter(result=Result.READY, key=OuterRef("user_id"))
    online = Connection.objects.open(now).filter(environment=job.environment)
    return online.filter(Exists(ready)).values("user_id").distinct().count()


def stalled(*, now: datetime) -> list[int]:
    """The ids of up to 100 imports that have lost their worker."""
    return ImportJob.objects.stalled(now)


@transaction.atomic
def forget_old(*, now: datetime) -> int:
    """Delete some lines of imports that have lived for `KEPT`, and the imports that have none left;
    how many.
    """
    old = ImportJob.objects.filter(uploaded_at__lte=now - KEPT).order_by("uploaded_at")
    ids = list(old.values_list("pk", flat=True)[:100])
    rows = ImportRow.objects.filter(job__in=ids).values("pk")[:50_000]
    deleted, _ = ImportRow.objects.filter(pk__in=rows).delete()
    if not deleted:
        deleted, _ = ImportJob.objects.filter(pk__in=ids).delete()
    return deleted
