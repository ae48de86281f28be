"""Deleted test users, for as long as their deletion can be undone."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models

from applications.fields import CiphertextField
from applications.models import Environment
from users.fields import UserIdField
from users.models.deletion_jobs import DeletionJob

UNDO_FOR = timedelta(hours=24)


class DeletedUserQuerySet(models.QuerySet["DeletedUser"]):
    def in_environment(self, environment: Environment) -> Self:
        return self.filter(environment=environment)

    def undoable(self, now: datetime) -> Self:
        """Deletions that time and an earlier undo do not forbid to undo."""
        return self.filter(deleted_at__gt=now - UNDO_FOR, undone_at=None)

    def over(self, now: datetime) -> Self:
        """What must not be kept any longer."""
        return self.filter(deleted_at__lte=now - UNDO_FOR)


class DeletedUser(models.Model):
    """A life of a test user that was deleted lately. `users.undo` can bring it back; nothing else
    reads what was kept of it.
    """

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user_id = UserIdField()
    # The primary key of the deleted AppUser.
    life = models.BigIntegerField()
    job = models.ForeignKey(
        DeletionJob,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deleted_users",
        db_index=False,
    )
    deleted_at = models.DateTimeField()
    deleted_by = models.CharField(max_length=150)
    # JSON (`users.kept`), encrypted with a key from outside the database. Empty once undone.
    kept = CiphertextField(editable=False)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    objects = DeletedUserQuerySet.as_manager()

    class Meta:
        indexes = [
            # The Quota page: who was deleted lately.
            models.Index(fields=["environment", "-deleted_at", "-id"], name="users_deleted_lately"),
            # Was this id deleted lately?
            models.Index(fields=["environment", "user_id"], name="users_deleted_by_id"),
            # The users of a job.
            models.Index(fields=["job", "id"], name="users_deleted_of_job"),
            # What must be purged.
            models.Index(fields=["deleted_at"], name="users_deleted_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}, deleted {self.deleted_at:%Y-%m-%d %H:%M}"
