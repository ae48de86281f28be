"""Friends: each friendship has two rows, one for each side, because each side has its own alias."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from applications.models import Environment
from users.fields import UserIdField


class FriendshipQuerySet(models.QuerySet["Friendship"]):
    def of(self, environment: Environment, owner_id: str) -> Self:
        return self.filter(environment=environment, owner_id=owner_id)


class Friendship(models.Model):
    """`owner_id`'s side of a friendship; there is another row for `friend_id`'s side."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner_id = UserIdField()
    friend_id = UserIdField()
    alias = models.CharField(max_length=100, blank=True)
    extended = models.JSONField(default=dict, blank=True)
    added_at = models.DateTimeField()

    objects = FriendshipQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers: are these two friends?
            models.UniqueConstraint(
                name="users_friendship_once", fields=["environment", "owner_id", "friend_id"]
            ),
            models.CheckConstraint(
                name="users_friendship_not_oneself", condition=~Q(owner_id=F("friend_id"))
            ),
        ]
        indexes = [
            # A user's friends, by time.
            models.Index(fields=["environment", "owner_id", "id"], name="users_friends_of_owner"),
            # To erase a user: the other sides of their friendships.
            models.Index(fields=["environment", "friend_id"], name="users_friends_other_side"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} and {self.friend_id}"


class FriendRequest(models.Model):
    """A friend request that is not answered yet."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    sender_id = UserIdField()
    recipient_id = UserIdField()
    message = models.CharField(max_length=128, blank=True)
    requested_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="users_friendrequest_once", fields=["environment", "sender_id", "recipient_id"]
            ),
        ]
        indexes = [
            # Who has sent this user a request?
            models.Index(
                fields=["environment", "recipient_id", "id"], name="users_friend_requests_to"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} asks {self.recipient_id}"
