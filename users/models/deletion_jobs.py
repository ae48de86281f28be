"""Deletion of several test users: the job and its items."""

from typing import Self

from django.db import models
from django.db.models import Q

from applications.models import BatchJob, BatchJobQuerySet, Environment
from users.fields import UserIdField


class DeletionJob(BatchJob):
    """The deletion of several test users: first a preview that lists them; after confirmation,
    batches until each of them has a result.
    """

    class State(models.TextChoices):
        PREVIEWED = "previewed"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="deletion_jobs", db_index=False
    )
    state = models.CharField(max_length=9, choices=State, default=State.PREVIEWED)
    previewed_at = models.DateTimeField()
    previewed_by = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)

    objects = BatchJobQuerySet.as_manager()

    class Meta:
        indexes = [
            # The Quota page: the latest jobs.
            models.Index(fields=["environment", "-id"], name="users_jobs_of_environment"),
            # Jobs that the periodic task must resume.
            models.Index(
                fields=["progressed_at"], name="users_jobs_running", condition=Q(state="running")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="users_deletionjob_confirmed_before_it_runs",
                condition=Q(state__in=["previewed", "cancelled"]) | Q(confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Deletion {self.pk} ({self.state})"


class DeletionItemQuerySet(models.QuerySet["DeletionItem"]):
    def pending(self) -> Self:
        return self.filter(result=DeletionItem.Result.PENDING)


class DeletionItem(models.Model):
    """One user of a deletion job, as previewed."""

    class Result(models.TextChoices):
        PENDING = "pending", "waiting"
        DELETED = "deleted"
        GONE = "gone", "was gone already"
        ANOTHER_LIFE = "another_life", "kept: registered again since the preview"
        PINNED = "pinned", "kept: pinned"
        UNDONE = "undone", "deleted, and brought back"

    job = models.ForeignKey(
        DeletionJob, on_delete=models.CASCADE, related_name="items", db_index=False
    )
    user_id = UserIdField()
    # The primary key of the previewed AppUser. Not a foreign key, because the row will be deleted.
    life = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    result = models.CharField(max_length=12, choices=Result, default=Result.PENDING)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = DeletionItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="users_deletionitem_once", fields=["job", "user_id"]),
            models.CheckConstraint(
                name="users_deletionitem_done_has_time",
                condition=Q(result="pending", done_at=None)
                | (~Q(result="pending") & Q(done_at__isnull=False)),
            ),
        ]
        indexes = [
            # The pending items of a job, and its progress by result.
            models.Index(fields=["job", "result", "id"], name="users_items_by_result"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.result}"
