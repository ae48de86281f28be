"""What gateway processes report of the kicks that they carried out."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from applications.models import Environment
from users.fields import UserIdField


class KickReport(models.Model):
    """A gateway process has closed connections of a user, as it was asked to."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user_id = UserIdField()
    # The name of the process, as text: the report stays when the process is gone.
    gateway = models.CharField(max_length=100)
    # `Connection.kicked_at`, which is also the time of the audit line.
    kicked_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    connections = models.PositiveIntegerField()

    class Meta:
        indexes = [
            # Which connections were closed by the act of this moment, and for this user?
            models.Index(fields=["environment", "kicked_at", "user_id"], name="users_kick_reports"),
            # Which reports are old enough to be deleted?
            BrinIndex(fields=["closed_at"], name="users_kick_reports_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.connections} of {self.user_id} by {self.gateway}"
