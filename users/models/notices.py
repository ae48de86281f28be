"""What a user's clients are told once: that a message was received or read, and about friends."""

from typing import Self

from django.db import models
from django.db.models import Q

from applications.models import Environment
from users.fields import UserIdField


class NoticeKind(models.TextChoices):
    RECEIVED = "received"
    READ = "read"
    FRIEND_ADDED = "friend_added"
    FRIEND_REQUESTED = "friend_requested"
    FRIEND_ACCEPTED = "friend_accepted"
    FRIEND_DECLINED = "friend_declined"
    FRIEND_REMOVED = "friend_removed"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting_for(self, environment: Environment, user_id: str) -> Self:
        return self.filter(environment=environment, recipient_id=user_id, delivered_at=None)


class Notice(models.Model):
    """`sender_id` did something that `recipient_id`'s clients are told."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    recipient_id = UserIdField()
    sender_id = UserIdField()
    kind = models.CharField(max_length=20, choices=NoticeKind)
    # The message that was received or read; 0 for other kinds.
    message_id = models.BigIntegerField(default=0)
    text = models.CharField(max_length=128, blank=True, help_text="What a friend request says.")
    posted_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            # A client may say several times that it has read a message.
            models.UniqueConstraint(
                name="users_notice_once",
                fields=["environment", "recipient_id", "message_id", "kind"],
                condition=Q(message_id__gt=0),
            ),
        ]
        indexes = [
            # The notices that wait for this user, oldest first.
            models.Index(
                fields=["environment", "recipient_id", "id"],
                name="users_notices_waiting",
                condition=Q(delivered_at=None),
            ),
            # The notices to this user: since when they connected, or all, to erase the user.
            models.Index(fields=["environment", "recipient_id", "id"], name="users_notices_to"),
            # To erase a user: the notices from them.
            models.Index(fields=["environment", "sender_id"], name="users_notices_from"),
            # Old notices, for the periodic task.
            models.Index(fields=["posted_at"], name="users_notices_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.sender_id} to {self.recipient_id}"
