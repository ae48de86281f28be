"""What the customer's webhooks hear of.

Invariant: a delivery is written in the transaction of its event. What happened is told; what was
rolled back is not.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction

from applications.models import AuditEvent, Delivery, Webhook

# What can be heard of, with the words for the page.
EVENTS = {
    "user.online": "A user came online",
    "user.offline": "A user went offline",
    "user.banned": "A user was banned",
    "user.ban_changed": "A ban got another end",
    "user.ban_ended": "A ban ended, lifted or over",
    "user.deactivated": "A user was deactivated and their data erased",
    "user.reactivated": "A deactivated id was enabled again",
    "user.deleted": "A test user was deleted",
    "quota.reached": "The quota reached 80, 95 or 100 %",
}
# Which audit line is which event.
_HEARD_AS = {
    "ban.imposed": "user.banned",
    "ban.changed": "user.ban_changed",
    "ban.lifted": "user.ban_ended",
    "ban.expired": "user.ban_ended",
    "user.erased": "user.deactivated",
    "user.reactivated": "user.reactivated",
    "user.deleted": "user.deleted",
    "quota.reached": "quota.reached",
}


def announce_recorded(lines: Iterable[AuditEvent]) -> None:
    """Tell of what the audit trail records, in its transaction."""
    announce(
        (
            _HEARD_AS[line.type],
            line.environment_id,
            {
                "user_id": line.subject,
                "by": line.actor,
                "via": line.via,
                "before": line.before,
                "after": line.after,
                "cause": line.type,
            },
            line.at,
        )
        for line in lines
        if line.type in _HEARD_AS and line.environment_id is not None
    )


def announce(happened: Iterable[tuple[str, int, dict[str, Any], datetime]]) -> None:
    """Write a delivery for each (event, environment id, data, when) and each endpoint that listens.

    Two statements, however many; one where nobody listens.
    """
    known = list(happened)
    if not known:
        return
    listening: dict[int, list[Webhook]] = {}
    environments = {environment_id for _, environment_id, _, _ in known}
    for webhook in Webhook.objects.filter(environment__in=environments, disabled_at=None):
        listening.setdefault(webhook.environment_id, []).append(webhook)
    deliveries = []
    for event, environment_id, data, at in known:
        message_id = f"msg_{secrets.token_hex(12)}"
        deliveries += [
            Delivery(
                webhook=webhook,
                message_id=message_id,
                event=event,
                data=data,
                occurred_at=at,
                next_attempt_at=at,
            )
            for webhook in listening.get(environment_id, [])
            if event in webhook.events
        ]
    if deliveries:
        Delivery.objects.bulk_create(deliveries, batch_size=500)
        wake_sender()


def wake_sender() -> None:
    """Have due deliveries sent soon; if the broker is away, the periodic task finds them."""
    transaction.on_commit(
        partial(current_app.send_task, "applications.tasks.send_deliveries"), robust=True
    )
