"""Registered app users, and the number of registrations per day."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from applications.models import Environment
from users.fields import UserIdField, begins_with
from users.models.connections import Connection

NAME_MAX_LENGTH = 100  # characters
AVATAR_URL_MAX_LENGTH = 1024  # bytes


class AppUserQuerySet(models.QuerySet["AppUser"]):
    def in_environment(self, environment: Environment) -> Self:
        return self.filter(environment=environment)

    def never_connected(self) -> Self:
        return self.filter(last_seen_at=None)

    def with_prefix(self, prefix: str) -> Self:
        """Ids that begin with `prefix`, as a range over the index on (environment, user_id)."""
        return self.filter(begins_with(prefix))

    def online(self, now: datetime) -> Self:
        """Users with an open connection."""
        return self.filter(
            models.Exists(
                Connection.objects.open(now).filter(
                    environment=models.OuterRef("environment"), user_id=models.OuterRef("user_id")
                )
            )
        )


class FriendPermission(models.IntegerChoices):
    """Who may become this user's friend."""

    ANYONE = 1
    APPROVAL = 2, "after approval"
    NOBODY = 3


class AppUser(models.Model):
    """A person of the customer's app, registered in one environment."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="users", db_index=False
    )
    user_id = UserIdField()
    # A second identifier, for vendors' protocols that need one.
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=NAME_MAX_LENGTH, blank=True)
    avatar_url = models.CharField(max_length=AVATAR_URL_MAX_LENGTH, blank=True)
    # Peppered and hashed (`users.passwords`). Empty if the user signs in by access token only.
    password = models.CharField(max_length=128, blank=True, editable=False)
    friend_permission = models.PositiveSmallIntegerField(
        choices=FriendPermission,
        default=FriendPermission.ANYONE,
        db_default=FriendPermission.ANYONE,
    )
    push_settings = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), blank=True
    )
    registered_at = models.DateTimeField()
    changed_at = models.DateTimeField(
        null=True, blank=True, help_text="Last change of name, avatar or push settings."
    )
    last_seen_at = models.DateTimeField(null=True, blank=True)
    tokens_valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Access tokens issued before this moment are dead."
    )

    objects = AppUserQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers: is this id registered? Which ids begin with this prefix?
            models.UniqueConstraint(
                name="users_appuser_unique_id", fields=["environment", "user_id"]
            ),
        ]
        indexes = [
            # Is this id registered, ignoring case? (`users.spelling`, vendors that ignore case.)
            models.Index("environment", Lower("user_id"), name="users_in_any_case"),
            # The Users page, newest first; the Quota page by age.
            models.Index(fields=["environment", "-registered_at", "-id"], name="users_by_age"),
            # The Users page, sorted by last seen.
            models.Index(
                fields=["environment", "-last_seen_at", "-id"],
                name="users_by_last_seen",
                condition=Q(last_seen_at__isnull=False),
            ),
            # The tab "never connected".
            models.Index(
                fields=["environment", "-registered_at", "-id"],
                name="users_never_connected",
                condition=Q(last_seen_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)


class RegistrationTally(models.Model):
    """The number of registrations of a day, including users who were deleted since.

    A day has several rows (`users_admit`): otherwise all registrations in a busy environment would
    wait for one.
    """

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField(help_text="In UTC.")
    shard = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Also answers: registrations per day of an environment.
            models.UniqueConstraint(
                name="users_registrationtally_unique", fields=["environment", "day", "shard"]
            ),
        ]
        verbose_name_plural = "registration tallies"

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"
