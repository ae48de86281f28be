"""Members of an application."""

from django.conf import settings
from django.db import models

from applications.models.applications import Application


class Role(models.TextChoices):
    """The role of a member; `applications.access` has its permissions."""

    VIEWER = "viewer"
    TESTER = "tester"
    MODERATOR = "moderator"
    ADMIN = "admin"
    OWNER = "owner"


class Member(models.Model):
    """The membership of a staff account in an application."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="members", db_index=False
    )
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=9, choices=Role)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)
    by_groups = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The role follows groups of the identity provider, at each sign-in.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="applications_member_once_per_application", fields=["application", "account"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.role})"
