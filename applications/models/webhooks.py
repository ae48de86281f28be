"""Webhooks and their deliveries."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from applications.fields import CiphertextField
from applications.models.applications import Environment


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def listening(self) -> Self:
        return self.filter(disabled_at=None)

    def with_work(self, now: datetime) -> Self:
        """Endpoints with due deliveries to which nobody is sending."""
        due = Delivery.objects.due(now).filter(webhook=OuterRef("pk"))
        return self.listening().filter(Exists(due), next_turn_at__lte=now)


class Webhook(models.Model):
    """An endpoint of the customer that receives events of one environment."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField("URL", max_length=500)
    # Names from `applications.announcements.EVENTS`.
    events = models.JSONField(default=list)
    # A name of `applications.webhooks.formats`.
    format = models.CharField(max_length=20, default="standard")
    # Both sign while receivers change to the new one. Encrypted like app secrets.
    secret = CiphertextField(editable=False)
    former_secret = CiphertextField(editable=False, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=100, blank=True)
    # No sender may start before: another one is sending, or the endpoint is paused after failures.
    next_turn_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="applications_webhook_disabled_has_reason",
                condition=Q(disabled_at=None, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> Self:
        return self.filter(state=Delivery.State.WAITING)

    def due(self, now: datetime) -> Self:
        return self.waiting().filter(next_attempt_at__lte=now)

    def give_up(self, now: datetime) -> int:
        """Mark waiting deliveries as failed; return their number."""
        return self.waiting().update(state=Delivery.State.FAILED, finished_at=now)


class Delivery(models.Model):
    """One event for one endpoint, with the state of its delivery."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed", "Given up"

    # No constraint in the database: a ban would fail if it commits while somebody removes an
    # endpoint for its event. A delivery without an endpoint is never sent.
    webhook = models.ForeignKey(
        Webhook,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
    )
    # Identifies the event to the receiver. It is the same in every attempt, so that repetitions can
    # be recognized.
    message_id = models.CharField(max_length=40)
    event = models.CharField(max_length=40)
    data = models.JSONField()
    occurred_at = models.DateTimeField()
    # A replay is queued long after the event.
    queued_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="HTTP, of the last attempt."
    )
    error = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Of the request that made the event happen, for the log; "" if there was none.
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            # Due deliveries of an endpoint.
            models.Index(
                fields=["webhook", "next_attempt_at"],
                name="applications_delivery_due",
                condition=Q(state="waiting"),
            ),
            # The delivery with this id, as a receiver knows it. (`applications.evidence`)
            models.Index(fields=["message_id"], name="applications_delivery_message"),
            # An endpoint's delivery log, newest first.
            models.Index(fields=["webhook", "-id"], name="applications_delivery_log"),
            # Failed deliveries of an endpoint.
            models.Index(
                fields=["webhook", "-id"],
                name="applications_delivery_lost",
                condition=Q(state="failed"),
            ),
            # Deliveries that are old enough to delete.
            models.Index(fields=["finished_at"], name="applications_delivery_old"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}: {self.state}"
