"""The audit trail."""

from typing import Self

from django.db import models
from django.db.models import Q

from applications.fields import IdentifierField
from applications.models.applications import Application, Environment


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def about(self, user_id: str) -> Self:
        return self.filter(subject=user_id)


class AuditEvent(models.Model):
    """One change: who, what, to whom, when, from where, before and after."""

    class ActorKind(models.TextChoices):
        STAFF = "staff"
        APP_KEY = "app_key", "app key"
        SYSTEM = "system"
        CLIENT = "client", "chat client"

    at = models.DateTimeField()
    # An `applications.audit.AuditType`.
    type = models.CharField(max_length=40)
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    environment = models.ForeignKey(
        Environment,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    subject = IdentifierField(max_length=150, blank=True)
    actor_kind = models.CharField(max_length=7, choices=ActorKind)
    actor = models.CharField(max_length=150)
    via = models.CharField(max_length=80, help_text="The door: a page, an API call, a task.")
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            # The Audit page of an environment, and "last activity" on the Overview.
            models.Index(fields=["environment", "-at", "-id"], name="audit_of_environment"),
            # A user's timeline.
            models.Index(fields=["environment", "subject", "-id"], name="audit_of_subject"),
            # The Audit page, filtered by type, by actor.
            models.Index(fields=["environment", "type", "-at", "-id"], name="audit_of_type"),
            models.Index(fields=["environment", "actor", "-at", "-id"], name="audit_of_actor"),
            # What did this request change? (`applications.evidence`) Most calls send no id.
            models.Index(
                fields=["environment", "request_id", "id"],
                name="audit_of_request",
                condition=~Q(request_id=""),
            ),
            # The Audit page of changes that belong to no environment: members, names.
            models.Index(
                fields=["application", "-at", "-id"],
                name="audit_of_application",
                condition=Q(environment=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}".strip()
