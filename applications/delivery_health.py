"""Whether deliveries of webhooks are sent when they are due, and how many wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, OuterRef, Subquery

from applications.counting import EXACT_UP_TO, Count, count
from applications.models import Delivery, Webhook

# Beyond this, the sender counts as overdue on the page Health.
OVERDUE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class SenderHealth:
    """`waiting`: for how long the oldest delivery has been due that somebody should be sending.
    Those of paused endpoints are not counted: it is the receiver that is late.
    """

    waiting: timedelta

    @property
    def is_well(self) -> bool:
        return self.waiting < OVERDUE_AFTER


def sender_health(*, now: datetime) -> SenderHealth:
    oldest = (
        Delivery.objects.due(now)
        .filter(webhook=OuterRef("pk"))
        .order_by("next_attempt_at")
        .values("next_attempt_at")[:1]
    )
    endpoints = Webhook.objects.with_work(now).annotate(oldest=Subquery(oldest))
    since = [max(each) for each in endpoints.values_list("next_turn_at", "oldest")]
    return SenderHealth(now - min(since) if since else timedelta(0))


@dataclass(frozen=True)
class Waiting:
    """Deliveries that wait for an attempt, and how long ago the oldest was queued."""

    number: Count
    oldest: timedelta


def waiting(*, now: datetime) -> Waiting:
    """Of all endpoints to which anything is sent. Beyond `EXACT_UP_TO`, of so many of them."""
    found = Delivery.objects.waiting().filter(webhook__in=Webhook.objects.listening())
    oldest = found.order_by()[:EXACT_UP_TO].aggregate(oldest=Min("queued_at"))["oldest"]
    return Waiting(count(found), now - oldest if oldest else timedelta(0))
