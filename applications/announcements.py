"""The events that webhooks receive.

Invariants
----------
* A delivery is written in the transaction of its event: it exists if and only if the event
  happened.
* The fields of `data` are documented for receivers (docs/webhooks.md) and stay stable. They are
  composed here; the audit line's `before` and `after` may change.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from celery import current_app
from django.db import connection, transaction

from applications.audit_types import AuditType, BanEnd, BanTerms
from applications.models import AuditEvent, AuditSeal, Delivery, Webhook


class Event(NamedTuple):
    """`type` is one of `EVENTS`. `request_id`: of the request that made it happen, or ""."""

    type: str
    environment_id: int
    data: dict[str, Any]
    at: datetime
    request_id: str = ""


# Type of event → its label on the page.
EVENTS = {
    "user.online": "A user's device connected",
    "user.offline": "A user's device was disconnected",
    "user.banned": "A user was banned",
    "user.ban_changed": "The end or reason of a ban was changed",
    "user.ban_ended": "A ban was lifted or expired",
    "user.deactivated": "A user was deactivated and their data erased",
    "user.reactivated": "A deactivated id was reactivated",
    "user.deleted": "A test user was deleted",
    "user.deletion_undone": "A deleted test user was brought back",
    "quota.reached": "The quota reached 80, 95 or 100 %",
    "audit.sealed": "Lines of the audit trail were sealed; about once a minute",
}
# Sent on request, to test an endpoint. Endpoints do not choose it.
TEST = "webhook.test"
# Examples of `data`.
_ACTOR = {"by": "grace", "via": "console"}
_DEVICE = {"connection": 41, "device": "phone", "platform": "iOS", "address": "203.0.113.7"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "user.online": {"user_id": "mia", **_DEVICE},
    "user.offline": {"user_id": "mia", **_DEVICE},
    "user.banned": {
        "user_id": "mia",
        "reason": "spam",
        "expires_at": "2026-03-03T12:00:00+00:00",
        **_ACTOR,
    },
    "user.ban_changed": {
        "user_id": "mia",
        "reason": "spam",
        "expires_at": None,
        "former_reason": "spam",
        "former_expires_at": "2026-03-03T12:00:00+00:00",
        **_ACTOR,
    },
    "user.ban_ended": {"user_id": "mia", "cause": "lifted", **_ACTOR},
    "user.deactivated": {
        "user_id": "mia",
        "operation_id": "K7QX-2M9D-PA4T-0ZWE",
        "by": "system",
        "via": "erasure",
    },
    "user.reactivated": {
        "user_id": "mia",
        "operation_id": "9RBC-71LU-HV5N-E3SG",
        "by": "5ca1ab1e",
        "via": "vendor user/restore",
    },
    "user.deleted": {"user_id": "mia", **_ACTOR},
    "user.deletion_undone": {"user_id": "mia", **_ACTOR},
    "quota.reached": {"percent": 80, "used": 80, "limit": 100},
    "audit.sealed": {
        "number": 812,
        "sealed_at": "2026-03-02T12:00:00+00:00",
        "seal": "9b1f6d0c7a52e834c1d09f3b6e27a850d4c3f19e8b6a7052fd13c49e0a8b7c65",
        "previous": "41c8e7d2095fb36a8d1e7c40f2b95a6380cde7149a2b5f86013d7ce94ab8f02d",
    },
    TEST: {"by": "grace"},
}


def announce_recorded(lines: Iterable[AuditEvent]) -> None:
    """Announce the events of these audit lines, in the same transaction."""
    announce(
        Event(event, line.environment_id, compose(line), line.at, line.request_id)
        for line in lines
        if line.environment_id is not None and line.type in _EVENT_OF
        for event, compose in [_EVENT_OF[AuditType(line.type)]]
    )


def announce_seal(seal: AuditSeal) -> None:
    """Send the seal to the endpoints of all environments that chose it. One query if none did."""
    listening = Webhook.objects.listening().filter(events__contains=["audit.sealed"])
    environments = listening.order_by().values_list("environment", flat=True).distinct()
    announce(
        Event("audit.sealed", environment_id, seal_copy(seal), seal.sealed_at)
        for environment_id in environments
    )


def seal_copy(seal: AuditSeal) -> dict[str, Any]:
    """What is sent away of a seal: enough to prove later that it was made."""
    return {
        "number": seal.number,
        "sealed_at": seal.sealed_at.astimezone(UTC).isoformat(),
        "seal": seal.seal,
        "previous": seal.previous,
    }


def announce(happened: Iterable[Event]) -> None:
    """Write a delivery for each endpoint that listens. Call it in the transaction of the events.

    Two statements for any number of events; one if no endpoint listens.
    """
    events = list(happened)
    if not events:
        return
    listening: dict[int, list[Webhook]] = {}
    environments = {event.environment_id for event in events}
    for webhook in Webhook.objects.listening().filter(environment__in=environments):
        listening.setdefault(webhook.environment_id, []).append(webhook)
    deliveries = []
    for event in events:
        message_id = new_message_id()
        deliveries += [
            Delivery(
                webhook=webhook,
                message_id=message_id,
                event=event.type,
                data=event.data,
                occurred_at=event.at,
                queued_at=event.at,
                next_attempt_at=event.at,
                request_id=event.request_id,
            )
            for webhook in listening.get(event.environment_id, [])
            if event.type in webhook.events
        ]
    if deliveries:
        Delivery.objects.bulk_create(deliveries, batch_size=500)
        wake_sender()


# One message id for each event, whichever endpoints receive it.
_ANNOUNCE_MANY = """
WITH happened AS MATERIALIZED (
    SELECT line.id, line.environment_id, line.at, line.request_id,
           'msg_' || left(replace(gen_random_uuid()::text, '-', ''), 24) AS message_id,
           jsonb_build_object('user_id', line.subject, 'by', line.actor, 'via', line.via)
               || %(further)s::jsonb AS data
      FROM applications_auditevent AS line
     WHERE line.id = ANY (%(lines)s)
       AND EXISTS (SELECT FROM applications_webhook WHERE disabled_at IS NULL)
)
INSERT INTO applications_delivery (
    webhook_id, message_id, event, data, occurred_at, queued_at, state, attempts, next_attempt_at,
    error, request_id
)
SELECT webhook.id, happened.message_id, %(event)s, happened.data, happened.at, happened.at,
       'waiting', 0, happened.at, '', happened.request_id
  FROM happened JOIN applications_webhook AS webhook USING (environment_id)
 WHERE webhook.disabled_at IS NULL AND webhook.events ? %(event)s
 ORDER BY happened.id, webhook.id
"""


def announce_many(event: str, lines: Sequence[int], **further: str) -> None:
    """Announce the event of each of these audit lines, by id: whom it concerns, who did it, and
    `further` data that is the same for all. One statement for any number of lines, in the
    transaction that wrote them.
    """
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _ANNOUNCE_MANY, {"lines": list(lines), "event": event, "further": json.dumps(further)}
        )
        if cursor.rowcount:
            wake_sender()


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


def wake_sender() -> None:
    """Send due deliveries soon. If the broker is down, the periodic task finds them."""
    transaction.on_commit(
        # It expires because the periodic task overtakes one that waits long. It is no partial:
        # Django logs a robust callback's failure by its name, which partials do not have.
        lambda: current_app.send_task("applications.tasks.send_deliveries", expires=60),
        robust=True,
    )


def _actor(line: AuditEvent) -> dict[str, Any]:
    return {"by": line.actor, "via": line.via}


def _banned(line: AuditEvent) -> dict[str, Any]:
    terms = cast(BanTerms, line.after or {})
    ban = {"reason": terms.get("reason"), "expires_at": terms.get("until")}
    return {"user_id": line.subject, **ban, **_actor(line)}


def _ban_changed(line: AuditEvent) -> dict[str, Any]:
    terms = cast(BanTerms, line.before or {})
    former = {"former_reason": terms.get("reason"), "former_expires_at": terms.get("until")}
    return {**_banned(line), **former}


def _ban_lifted(line: AuditEvent) -> dict[str, Any]:
    return {"user_id": line.subject, "cause": BanEnd.LIFTED, **_actor(line)}


def _ban_expired(line: AuditEvent) -> dict[str, Any]:
    return {"user_id": line.subject, "cause": BanEnd.EXPIRED, **_actor(line)}


def _user_with_operation(line: AuditEvent) -> dict[str, Any]:
    operation = {"operation_id": (line.after or {}).get("operation")}
    return {"user_id": line.subject, **operation, **_actor(line)}


def _user(line: AuditEvent) -> dict[str, Any]:
    return {"user_id": line.subject, **_actor(line)}


def _quota(line: AuditEvent) -> dict[str, Any]:
    return {name: (line.after or {}).get(name) for name in ("percent", "used", "limit")}


# Type of audit line → type of event, and what composes its `data`.
_EVENT_OF: dict[AuditType, tuple[str, Callable[[AuditEvent], dict[str, Any]]]] = {
    AuditType.BAN_IMPOSED: ("user.banned", _banned),
    AuditType.BAN_CHANGED: ("user.ban_changed", _ban_changed),
    AuditType.BAN_LIFTED: ("user.ban_ended", _ban_lifted),
    AuditType.BAN_EXPIRED: ("user.ban_ended", _ban_expired),
    AuditType.USER_ERASED: ("user.deactivated", _user_with_operation),
    AuditType.USER_REACTIVATED: ("user.reactivated", _user_with_operation),
    AuditType.USER_DELETED: ("user.deleted", _user),
    AuditType.DELETION_UNDONE: ("user.deletion_undone", _user),
    AuditType.QUOTA_REACHED: ("quota.reached", _quota),
}
