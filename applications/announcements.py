"""What the customer's webhooks hear of.

Invariants
----------
* A delivery is written in the transaction of its event. What happened is told; what was rolled
  back is not.
* What an event says of itself is a promise to receivers (docs/webhooks.md): `data` is composed here
  and is not the audit line's own before and after, which may change.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

from celery import current_app
from django.db import transaction

from applications.audit_types import AuditType, BanEnd, BanTerms
from applications.models import AuditEvent, Delivery, Webhook

# (event, environment id, data, when)
Happening = tuple[str, int, dict[str, Any], datetime]

# What can be heard of, with the words for the page.
EVENTS = {
    "user.online": "A user's device connected",
    "user.offline": "A user's device was disconnected",
    "user.banned": "A user was banned",
    "user.ban_changed": "A ban got another end or reason",
    "user.ban_ended": "A ban was lifted, or its time was up",
    "user.deactivated": "A user was deactivated and their data erased",
    "user.reactivated": "A deactivated id was enabled again",
    "user.deleted": "A test user was deleted",
    "quota.reached": "The quota reached 80, 95 or 100 %",
}
# Sent on request, to see whether an endpoint works; nobody listens for it.
TEST = "webhook.test"
# What `data` looks like.
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
    "quota.reached": {"percent": 80, "used": 80, "limit": 100},
    TEST: {"by": "grace"},
}


def announce_recorded(lines: Iterable[AuditEvent]) -> None:
    """Tell of what the audit trail records, in its transaction."""
    announce(
        (event, line.environment_id, compose(line), line.at)
        for line in lines
        if line.environment_id is not None and line.type in _HEARD_AS
        for event, compose in [_HEARD_AS[AuditType(line.type)]]
    )


def announce(happened: Iterable[Happening]) -> None:
    """Write a delivery for each endpoint that listens; inside the transaction of what happened.

    Two statements, however many; one where nobody listens.
    """
    known = list(happened)
    if not known:
        return
    listening: dict[int, list[Webhook]] = {}
    environments = {environment_id for _, environment_id, _, _ in known}
    for webhook in Webhook.objects.listening().filter(environment__in=environments):
        listening.setdefault(webhook.environment_id, []).append(webhook)
    deliveries = []
    for event, environment_id, data, at in known:
        message_id = new_message_id()
        deliveries += [
            Delivery(
                webhook=webhook,
                message_id=message_id,
                event=event,
                data=data,
                occurred_at=at,
                queued_at=at,
                next_attempt_at=at,
            )
            for webhook in listening.get(environment_id, [])
            if event in webhook.events
        ]
    if deliveries:
        Delivery.objects.bulk_create(deliveries, batch_size=500)
        wake_sender()


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


def wake_sender() -> None:
    """Have due deliveries sent soon; if the broker is away, the periodic task finds them."""
    transaction.on_commit(
        # Expires, for one that has waited for long was overtaken by the periodic task. No partial:
        # Django logs a robust call's failure by a name that partials do not have.
        lambda: current_app.send_task("applications.tasks.send_deliveries", expires=60),
        robust=True,
    )


def _acted(line: AuditEvent) -> dict[str, Any]:
    return {"by": line.actor, "via": line.via}


def _banned(line: AuditEvent) -> dict[str, Any]:
    terms = cast(BanTerms, line.after or {})
    said = {"reason": terms.get("reason"), "expires_at": terms.get("until")}
    return {"user_id": line.subject, **said, **_acted(line)}


def _ban_changed(line: AuditEvent) -> dict[str, Any]:
    terms = cast(BanTerms, line.before or {})
    former = {"former_reason": terms.get("reason"), "former_expires_at": terms.get("until")}
    return {**_banned(line), **former}


def _ban_lifted(line: AuditEvent) -> dict[str, Any]:
    return {"user_id": line.subject, "cause": BanEnd.LIFTED, **_acted(line)}


def _ban_expired(line: AuditEvent) -> dict[str, Any]:
    return {"user_id": line.subject, "cause": BanEnd.EXPIRED, **_acted(line)}


def _operated(line: AuditEvent) -> dict[str, Any]:
    operation = {"operation_id": (line.after or {}).get("operation")}
    return {"user_id": line.subject, **operation, **_acted(line)}


def _happened_to(line: AuditEvent) -> dict[str, Any]:
    return {"user_id": line.subject, **_acted(line)}


def _quota(line: AuditEvent) -> dict[str, Any]:
    return {name: (line.after or {}).get(name) for name in ("percent", "used", "limit")}


# Which audit line is which event, and what is said of it.
_HEARD_AS: dict[AuditType, tuple[str, Callable[[AuditEvent], dict[str, Any]]]] = {
    AuditType.BAN_IMPOSED: ("user.banned", _banned),
    AuditType.BAN_CHANGED: ("user.ban_changed", _ban_changed),
    AuditType.BAN_LIFTED: ("user.ban_ended", _ban_lifted),
    AuditType.BAN_EXPIRED: ("user.ban_ended", _ban_expired),
    AuditType.USER_ERASED: ("user.deactivated", _operated),
    AuditType.USER_REACTIVATED: ("user.reactivated", _operated),
    AuditType.USER_DELETED: ("user.deleted", _happened_to),
    AuditType.QUOTA_REACHED: ("quota.reached", _quota),
}
