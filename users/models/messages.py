"""Messages that wait for their recipient, and messages that were delivered lately."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from applications.models import Environment
from users.fields import UserIdField
from users.models.app_users import AppUser


class MessageQuerySet(models.QuerySet["Message"]):
    def between_registered(self) -> Self:
        """Without messages of deactivated users, which are not erased yet."""
        users = AppUser.objects.filter(environment=OuterRef("environment"))
        return self.filter(
            Exists(users.filter(user_id=OuterRef("sender_id"))),
            Exists(users.filter(user_id=OuterRef("recipient_id"))),
        )

    def waiting_for(self, environment: Environment, user_id: str) -> Self:
        return self.filter(environment=environment, recipient_id=user_id, delivered_at=None)


class Message(models.Model):
    """A direct text message. It is kept for a while after delivery, to recognise it when its sender
    sends it again.
    """

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    sender_id = UserIdField()
    recipient_id = UserIdField()
    # The sender's id for the message, which makes sending idempotent.
    client_id = models.CharField(max_length=64)
    body = models.TextField()
    # What the sender's app added (`users.extras`).
    extra = models.TextField(blank=True, default="", db_default="")
    # The key of the connection that sent it, if the sender had others then: they get a copy.
    sent_from = models.BigIntegerField(null=True, blank=True)
    sent_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers: what has this sender sent?
            models.UniqueConstraint(
                name="users_message_once", fields=["environment", "sender_id", "client_id"]
            ),
        ]
        indexes = [
            # The messages that wait for this user, oldest first.
            models.Index(
                fields=["environment", "recipient_id", "id"],
                name="users_messages_waiting",
                condition=Q(delivered_at=None),
            ),
            # The messages to this user: since when they connected, or all, to erase the user.
            models.Index(fields=["environment", "recipient_id", "id"], name="users_messages_to"),
            # The messages that this user has written on one of several devices, oldest first.
            models.Index(
                fields=["environment", "sender_id", "id"],
                name="users_messages_copied",
                condition=Q(sent_from__isnull=False),
            ),
            # Old messages, for the periodic task.
            models.Index(fields=["sent_at"], name="users_messages_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} to {self.recipient_id} at {self.sent_at:%Y-%m-%d %H:%M}"
