"""What all jobs share: work that is done in batches until nothing of it is left.

Invariants
----------
* A batch is one transaction, which holds the job's row. A worker that dies leaves whole batches
  behind, and the row free.
* Each batch notes when it was. A job without a batch for `STALLED_AFTER` has lost its worker, and a
  periodic task continues it.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models

STALLED_AFTER = timedelta(seconds=15)


class BatchJobQuerySet(models.QuerySet[Any]):
    def running(self) -> Self:
        return self.filter(state__in=self.model.WORKING)

    def claimed(self, job_id: int) -> Any:
        """The job and its environment, locked until the transaction ends. None if it does not run,
        or if another worker has it.
        """
        return (
            self.running()
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("environment__application")
            .filter(pk=job_id)
            .first()
        )

    def stalled(self, now: datetime) -> list[int]:
        """The ids of up to 100 running jobs that have lost their worker."""
        return list(
            self.running()
            .filter(progressed_at__lte=now - STALLED_AFTER)
            .order_by("progressed_at")
            .values_list("pk", flat=True)[:100]
        )


class BatchJob(models.Model):
    """Subclasses have a `state`, whose values in `WORKING` mean that a worker is at it, and an
    `environment`.
    """

    WORKING: ClassVar[tuple[str, ...]] = ("running",)

    finished_at = models.DateTimeField(null=True, blank=True)
    # Updated by each batch.
    progressed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
