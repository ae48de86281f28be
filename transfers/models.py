"""Imports and exports: the jobs, the lines of files that are imported, the files that are exported.

Invariants
----------
* They live for `KEPT`, whatever became of them: they hold personal data.
* All of it is in the database, so that every process on every host can continue a job and send a
  file.
"""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from applications.models import AuditEvent, BatchJob, BatchJobQuerySet, Environment

KEPT = timedelta(hours=24)


class ImportJob(BatchJob):
    """A file that is imported: each line is checked; after confirmation, the good ones are done."""

    class State(models.TextChoices):
        CHECKING = "checking"
        PREVIEWED = "previewed"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    WORKING: ClassVar[tuple[str, ...]] = (State.CHECKING, State.RUNNING)

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=20, help_text="A key of `transfers.kinds.KINDS`.")
    file_name = models.CharField(max_length=150)
    state = models.CharField(max_length=9, choices=State, default=State.CHECKING)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=150)
    uploaded_kind = models.CharField(max_length=7, choices=AuditEvent.ActorKind)
    # Columns of the file that an import does not use.
    ignored = models.JSONField(default=list)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    confirmed_kind = models.CharField(max_length=7, choices=AuditEvent.ActorKind, blank=True)

    objects = BatchJobQuerySet.as_manager()

    class Meta:
        indexes = [
            # The page: the latest imports.
            models.Index(fields=["environment", "-id"], name="transfers_imports"),
            # Jobs that the periodic task must resume.
            models.Index(
                fields=["progressed_at"],
                name="transfers_imports_working",
                condition=Q(state__in=["checking", "running"]),
            ),
            # Jobs that have lived long enough.
            models.Index(fields=["uploaded_at"], name="transfers_imports_by_age"),
        ]
        constraints = [
            models.CheckConstraint(
                name="transfers_importjob_confirmed_before_it_runs",
                condition=Q(state__in=["checking", "previewed", "cancelled"])
                | Q(confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.file_name} ({self.state})"


class ImportRow(models.Model):
    """A line of a file that is imported."""

    class Result(models.TextChoices):
        UNCHECKED = "unchecked", "not checked yet"
        READY = "ready", "will be imported"
        EXISTS = "exists", "exists already"
        OVER_QUOTA = "over_quota", "no place is free"
        BROKEN = "broken"
        DONE = "done", "imported"
        REFUSED = "refused"

    job = models.ForeignKey(
        ImportJob, on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    line = models.PositiveIntegerField(help_text="In the file; the first line is 1.")
    # What the line is about; two lines with the same key are the same twice. Empty: not readable.
    key = models.CharField(max_length=200, blank=True, db_collation="C")
    values = models.JSONField(default=dict, help_text="Column → text.")
    result = models.CharField(max_length=10, choices=Result, default=Result.UNCHECKED)
    # Why not, with the column.
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="transfers_importrow_once", fields=["job", "line"]),
        ]
        indexes = [
            # The next rows of a batch, the numbers of each result, the rows of a result.
            models.Index(fields=["job", "result", "line"], name="transfers_rows_by_result"),
            # Is the same in an earlier line?
            models.Index(
                fields=["job", "key", "line"], name="transfers_rows_by_key", condition=~Q(key="")
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.result}"


class ExportJob(BatchJob):
    """A list that is written to a file. `query` is what the page's filters were, and `cursor` where
    the next batch begins.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=20)
    format = models.CharField(max_length=5)
    query = models.TextField(blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=150)
    # An estimate if there are many.
    expected = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    cursor = models.TextField(blank=True)

    objects = BatchJobQuerySet.as_manager()

    class Meta:
        indexes = [
            # The page: the latest exports.
            models.Index(fields=["environment", "-id"], name="transfers_exports"),
            # Jobs that the periodic task must resume.
            models.Index(
                fields=["progressed_at"],
                name="transfers_exports_working",
                condition=Q(state="running"),
            ),
            # Jobs that have lived long enough.
            models.Index(fields=["requested_at"], name="transfers_exports_by_age"),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk} of {self.kind} ({self.state})"


class ExportChunk(models.Model):
    """A part of an exported file, compressed (zlib)."""

    job = models.ForeignKey(
        ExportJob, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            # Also answers: the parts of a file in order.
            models.UniqueConstraint(name="transfers_exportchunk_once", fields=["job", "number"]),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of export {self.job_id}"
