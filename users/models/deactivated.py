"""Tombstones."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from applications.models import Environment
from users.fields import UserIdField, begins_with


class DeactivatedUserQuerySet(models.QuerySet["DeactivatedUser"]):
    def awaiting_erasure(self) -> Self:
        return self.filter(erased_at=None)

    def with_prefix(self, prefix: str) -> Self:
        """As `AppUserQuerySet.with_prefix`."""
        return self.filter(begins_with(prefix))


class DeactivatedUser(models.Model):
    """The tombstone of a deactivated user: the id, when, and by which call. It disables the id."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="deactivated_users", db_index=False
    )
    user_id = UserIdField()
    deactivated_at = models.DateTimeField()
    deactivated_by = models.CharField(max_length=150)
    via = models.CharField(max_length=80)
    operation_id = models.CharField(max_length=19)
    was_registered = models.BooleanField()
    erased_at = models.DateTimeField(null=True, blank=True)
    erased = models.JSONField(default=dict, blank=True, help_text="What was erased: word → count.")

    objects = DeactivatedUserQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="users_deactivateduser_unique_id", fields=["environment", "user_id"]
            ),
        ]
        indexes = [
            # The Deactivated page and the vendors' lists, newest first.
            models.Index(
                fields=["environment", "-deactivated_at", "-id"], name="users_deactivated_by_time"
            ),
            # Is this id deactivated, ignoring case? (`users.spelling`)
            models.Index("environment", Lower("user_id"), name="users_deactivated_in_any_case"),
            # Users whose messages are not erased yet, for the task.
            models.Index(fields=["id"], name="users_awaiting_erasure", condition=Q(erased_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.user_id)
