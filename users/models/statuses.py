"""Presence statuses, and subscriptions to them."""

from django.db import models

from applications.models import Environment
from users.fields import UserIdField


class Status(models.Model):
    """The status that a user last published: a text, and a state for each device."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    owner_id = UserIdField()
    text = models.CharField(max_length=1024, blank=True)
    devices = models.JSONField(default=dict, help_text="Device → state.")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="users_status_once", fields=["environment", "owner_id"]),
        ]
        verbose_name_plural = "statuses"

    def __str__(self) -> str:
        return f"Status of {self.owner_id}"


class StatusSubscription(models.Model):
    """`owner_id` subscribes to the status of `about_id`, until `expires_at`."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    owner_id = UserIdField()
    about_id = UserIdField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Also answers: whom does this user subscribe to, in the order of their ids?
            models.UniqueConstraint(
                name="users_statussubscription_once",
                fields=["environment", "owner_id", "about_id"],
            ),
        ]
        indexes = [
            # Who subscribes to this user? Also to erase a user.
            models.Index(fields=["environment", "about_id"], name="users_status_subscribers"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} subscribes to {self.about_id}"
