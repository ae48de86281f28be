"""Webhooks: the customer's endpoints, what each hears of, and how it is written and signed.

Invariants
----------
* Secrets are stored encrypted and shown once. Two may be live: every request is signed with both.
* An endpoint is a public https address; `applications.deliveries` checks where its name leads.
"""

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from standardwebhooks import Webhook as Signer

from applications import audit, vault
from applications.announcements import EVENTS
from applications.audit import Actor
from applications.models import Delivery, Environment, Webhook

MAX_ENDPOINTS = 10


class InvalidEndpoint(Exception):
    """Not an address that we would call; `field` says what is wrong."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


class WebhookGone(Exception):
    """Somebody else has removed the endpoint meanwhile."""


@dataclass(frozen=True)
class Prepared:
    """What goes over the wire."""

    url: str
    headers: Mapping[str, str]
    body: bytes


Format = Callable[[Delivery, list[str], datetime], Prepared]


def standard(delivery: Delivery, texts: list[str], now: datetime) -> Prepared:
    """Standard Webhooks: JSON, signed by `webhook-signature` with every live secret."""
    body = json.dumps(
        {
            "type": delivery.event,
            "timestamp": delivery.occurred_at.isoformat(),
            "data": delivery.data,
        },
        separators=(",", ":"),
    )
    signatures = (Signer(text).sign(delivery.message_id, now, body) for text in texts)
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return Prepared(delivery.webhook.url, headers, body.encode())


# How an event is written; vendors' own callback formats are added from above.
formats: dict[str, Format] = {"standard": standard}
format_labels: dict[str, str] = {"standard": "Standard Webhooks (JSON)"}


@transaction.atomic
def add(
    *,
    environment: Environment,
    url: str,
    events: Iterable[str],
    format: str,
    by: Actor,
    now: datetime,
) -> tuple[Webhook, str]:
    """An endpoint, and its secret to be shown once. Raises `InvalidEndpoint`."""
    wanted = _checked(url, events, format)
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    if environment.webhooks.count() >= MAX_ENDPOINTS:
        raise InvalidEndpoint("url", f"An environment has at most {MAX_ENDPOINTS} endpoints.")
    text = _new_secret()
    webhook = Webhook.objects.create(
        environment=environment,
        url=url,
        events=wanted,
        format=format,
        secret=vault.encrypt(text),
        created_at=now,
        created_by=by.name,
    )
    record("webhook.added", webhook, by, now, after={"url": url, "events": wanted})
    return webhook, text


@transaction.atomic
def change(
    *, webhook: Webhook, url: str, events: Iterable[str], format: str, by: Actor, now: datetime
) -> None:
    """Raises `InvalidEndpoint`, `WebhookGone`."""
    wanted = _checked(url, events, format)
    locked = _lock(webhook)
    before = {"url": locked.url, "events": locked.events, "format": locked.format}
    after = {"url": url, "events": wanted, "format": format}
    if before != after:
        Webhook.objects.filter(pk=webhook.pk).update(**after)
        record("webhook.changed", locked, by, now, before=before, after=after)


@transaction.atomic
def rotate_secret(*, webhook: Webhook, by: Actor, now: datetime) -> str:
    """A new secret, shown once; the one before it keeps signing until `retire_former_secret`."""
    locked, text = _lock(webhook), _new_secret()
    Webhook.objects.filter(pk=webhook.pk).update(
        secret=vault.encrypt(text), former_secret=locked.secret
    )
    record("webhook.secret_added", locked, by, now)
    return text


@transaction.atomic
def retire_former_secret(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    locked = _lock(webhook)
    if locked.former_secret:
        Webhook.objects.filter(pk=webhook.pk).update(former_secret="")
        record("webhook.secret_revoked", locked, by, now)


@transaction.atomic
def disable(*, webhook: Webhook, reason: str, by: Actor, now: datetime) -> None:
    """Stop sending; what waits is given up when its turn comes."""
    if Webhook.objects.filter(pk=webhook.pk, disabled_at=None).update(
        disabled_at=now, disabled_reason=reason
    ):
        record("webhook.disabled", webhook, by, now, after={"reason": reason})


@transaction.atomic
def enable(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    if Webhook.objects.filter(pk=webhook.pk, disabled_at__isnull=False).update(
        disabled_at=None, disabled_reason=""
    ):
        record("webhook.enabled", webhook, by, now)


@transaction.atomic
def remove(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    """The endpoint and its delivery log. Raises `WebhookGone`."""
    locked = _lock(webhook)
    record("webhook.removed", locked, by, now, before={"url": locked.url})
    locked.delete()


def _checked(url: str, events: Iterable[str], format: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme not in _schemes() or not parts.hostname or parts.username is not None:
        raise InvalidEndpoint("url", f"An endpoint is an {' or '.join(_schemes())} address.")
    try:
        _ = parts.port
    except ValueError:
        raise InvalidEndpoint("url", "The port is not one.") from None
    if format not in formats:
        raise InvalidEndpoint("format", "Unknown format.")
    chosen = set(events)
    if not chosen or not chosen <= set(EVENTS):
        raise InvalidEndpoint("events", "Choose at least one event.")
    return [event for event in EVENTS if event in chosen]


def _schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.WEBHOOKS_MAY_BE_LOCAL else ("https",)


def _lock(webhook: Webhook) -> Webhook:
    locked = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    if locked is None:
        raise WebhookGone
    return locked


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def record(type: str, webhook: Webhook, by: Actor, now: datetime, **said: Any) -> None:
    audit.record(
        type, environment=webhook.environment, subject=str(webhook.pk), by=by, now=now, **said
    )
