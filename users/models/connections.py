"""Gateway processes and the connections they hold."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from applications.models import Environment
from users.fields import UserIdField


class GatewayProcess(models.Model):
    """A gateway process, alive while it renews its lease."""

    name = models.CharField(max_length=100, unique=True)
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "gateway processes"

    def __str__(self) -> str:
        return self.name


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def alive(self, now: datetime) -> Self:
        """Connections of gateway processes whose lease has not expired."""
        return self.filter(gateway__lease_until__gt=now)

    def open(self, now: datetime) -> Self:
        """Alive connections that nobody has asked to close. Others are not served any more."""
        return self.alive(now).filter(kicked_at=None)

    def for_users(self, environment: Environment, user_ids: list[str]) -> Self:
        return self.filter(environment=environment, user_id__in=user_ids)


class KickReason(models.TextChoices):
    """Why a connection must close. Each protocol of the gateway has its own codes."""

    BANNED = "banned"
    DEACTIVATED = "deactivated"
    DELETED = "deleted"
    SIGNED_OUT = "signed out"
    KICKED = "kicked"
    REPLACED = "replaced"


class Connection(models.Model):
    """A client's connection to a gateway process. It counts as closed when the process's lease
    expires.
    """

    gateway = models.ForeignKey(GatewayProcess, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user_id = UserIdField()
    device = models.CharField(max_length=64, blank=True)
    platform = models.CharField(max_length=32, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    # Of a user's connections with the same seat, only the newest stays open. "": it has none.
    seat = models.CharField(max_length=120, blank=True, default="", db_default="")
    connected_at = models.DateTimeField()
    # A request to close the connection, for the gateway process.
    kicked_at = models.DateTimeField(null=True, blank=True)
    kick_reason = models.CharField(max_length=40, choices=KickReason, blank=True)
    # When the reason ends by itself; None if it does not.
    kick_until = models.DateTimeField(null=True, blank=True)
    # The reason that staff chose to tell the user. Never who requested the kick.
    kick_why = models.CharField(max_length=200, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        indexes = [
            # Is this user online? Which of their connections must close? And by an index-only scan,
            # because the index includes the gateway: who is online?
            models.Index(
                fields=["environment", "user_id", "gateway"],
                name="users_connections_of_user",
                include=["kicked_at"],
            ),
            # The Connections page, newest first.
            models.Index(fields=["environment", "id"], name="users_connections_by_time"),
            # Connections that a gateway process has been asked to close.
            models.Index(
                fields=["gateway"], name="users_kicked", condition=Q(kicked_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} since {self.connected_at:%Y-%m-%d %H:%M}"

    @property
    def resource(self) -> str:
        """One name for the device, such as `android_1234`."""
        return f"{self.platform or 'device'}_{self.device or self.pk}"
