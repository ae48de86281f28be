"""Webhooks: the customer's endpoints, and the events and format of each.

Invariants
----------
* Secrets are stored encrypted and shown once. Two may be live: every request is signed with both.
* An endpoint can choose only events that its format supports.
* An endpoint is a public https address. `applications.outbound` checks the addresses of its host
  name before every request, because they may change.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from applications import audit, outbound, vault
from applications.announcements import EVENTS
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment, Webhook
from applications.vendors import vendors
from applications.webhook_formats import STANDARD, Format, unavailable

MAX_ENDPOINTS = 10
STANDARD_FORMAT = "standard"
_URL_MAX_LENGTH = Webhook._meta.get_field("url").max_length or 0


class InvalidEndpoint(Exception):
    """An endpoint that cannot be used; `field` names the invalid field."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


class WebhookGone(Exception):
    """Somebody else has removed the endpoint in the meantime."""


class TooManySecrets(Exception):
    """Two secrets are live; the former one must be retired first."""


def formats() -> dict[str, Format]:
    """Name → format; the standard format first, then those of vendors."""
    return {STANDARD_FORMAT: STANDARD, **formats_of_vendors()}


def formats_of_vendors() -> dict[str, Format]:
    return {each.name: each.webhook_format for each in vendors() if each.webhook_format}


def format_of(webhook: Webhook) -> Format:
    """The endpoint's format, or a stand-in if its vendor is not installed."""
    return formats().get(webhook.format) or unavailable(webhook.format)


@dataclass(frozen=True)
class NewWebhook:
    """A new endpoint with the text of its secret, which is not shown again."""

    webhook: Webhook
    secret: str


@transaction.atomic
def add(
    *,
    environment: Environment,
    url: str,
    events: Iterable[str],
    format: str,
    by: Actor,
    now: datetime,
) -> NewWebhook:
    """Raises `InvalidEndpoint`."""
    wanted = _checked(url, events, format)
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    if environment.webhooks.count() >= MAX_ENDPOINTS:
        raise InvalidEndpoint(
            "url",
            gettext("An environment has at most {max_endpoints} endpoints.").format(
                max_endpoints=MAX_ENDPOINTS
            ),
        )
    text = _new_secret()
    webhook = Webhook.objects.create(
        environment=environment,
        url=url,
        events=wanted,
        format=format,
        secret=vault.encrypt(text),
        created_at=now,
        created_by=by.name,
        next_turn_at=now,
    )
    after = {"url": url, "events": wanted, "format": format}
    record(AuditType.WEBHOOK_ADDED, webhook, by, now, after=after)
    return NewWebhook(webhook, text)


@transaction.atomic
def change(
    *, webhook: Webhook, url: str, events: Iterable[str], format: str, by: Actor, now: datetime
) -> None:
    """Change the endpoint. Waiting deliveries go to the new address, in the new format. Raises
    `InvalidEndpoint`, `WebhookGone`.
    """
    wanted = _checked(url, events, format)
    locked = _lock(webhook)
    before = {"url": locked.url, "events": locked.events, "format": locked.format}
    after = {"url": url, "events": wanted, "format": format}
    if before != after:
        Webhook.objects.filter(pk=webhook.pk).update(**after)
        record(AuditType.WEBHOOK_CHANGED, locked, by, now, before=before, after=after)


@transaction.atomic
def rotate_secret(*, webhook: Webhook, by: Actor, now: datetime) -> str:
    """A new secret, shown once; the former one also signs until `retire_former_secret`.

    Raises `TooManySecrets`, `WebhookGone`.
    """
    locked, text = _lock(webhook), _new_secret()
    if locked.former_secret:
        raise TooManySecrets
    Webhook.objects.filter(pk=webhook.pk).update(
        secret=vault.encrypt(text), former_secret=locked.secret
    )
    record(AuditType.WEBHOOK_SECRET_ADDED, locked, by, now)
    return text


@transaction.atomic
def retire_former_secret(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Stop signing with the former secret. Twice is no error. Raises `WebhookGone`."""
    locked = _lock(webhook)
    if locked.former_secret:
        Webhook.objects.filter(pk=webhook.pk).update(former_secret="")
        record(AuditType.WEBHOOK_SECRET_REVOKED, locked, by, now)


@transaction.atomic
def disable(*, webhook: Webhook, reason: str, by: Actor, now: datetime) -> None:
    """Stop sending, and give up waiting deliveries. Twice is no error. Raises `WebhookGone`."""
    locked = _lock(webhook)
    if not locked.is_disabled:
        Webhook.objects.filter(pk=webhook.pk).update(disabled_at=now, disabled_reason=reason)
        locked.deliveries.all().give_up(now)
        record(AuditType.WEBHOOK_DISABLED, locked, by, now, after={"reason": reason})


@transaction.atomic
def enable(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Send events again, from now on. Twice is no error. Raises `WebhookGone`."""
    locked = _lock(webhook)
    if locked.is_disabled:
        Webhook.objects.filter(pk=webhook.pk).update(
            disabled_at=None, disabled_reason="", failing_since=None, next_turn_at=now
        )
        record(AuditType.WEBHOOK_ENABLED, locked, by, now)


@transaction.atomic
def remove(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Delete the endpoint and its delivery log. Raises `WebhookGone`."""
    locked = _lock(webhook)
    record(AuditType.WEBHOOK_REMOVED, locked, by, now, before={"url": locked.url})
    locked.delete()


def record(type: AuditType, webhook: Webhook, by: Actor, now: datetime, **values: Any) -> None:
    """Write an audit line about the webhook; `values` are `before` and `after`."""
    audit.record(
        type, environment=webhook.environment, subject=str(webhook.pk), by=by, now=now, **values
    )


def _checked(url: str, events: Iterable[str], format: str) -> list[str]:
    """The events, in the order of `EVENTS`. Raises `InvalidEndpoint`."""
    if len(url) > _URL_MAX_LENGTH:
        raise InvalidEndpoint(
            "url",
            gettext("An address has at most {url_max_length} characters.").format(
                url_max_length=_URL_MAX_LENGTH
            ),
        )
    try:
        outbound.check(url)
    except outbound.Refused as refusal:
        raise InvalidEndpoint("url", str(refusal)) from None
    chosen_format = formats().get(format)
    if chosen_format is None:
        raise InvalidEndpoint("format", gettext("Unknown format."))
    chosen = set(events)
    if not chosen or not chosen <= set(EVENTS):
        raise InvalidEndpoint("events", gettext("Choose at least one event."))
    unsupported = chosen - set(chosen_format.events)
    if unsupported:
        raise InvalidEndpoint(
            "events",
            gettext("This format does not support {names}.").format(
                names=", ".join(sorted(unsupported))
            ),
        )
    return [event for event in EVENTS if event in chosen]


def _lock(webhook: Webhook) -> Webhook:
    locked = (
        Webhook.objects.select_related("environment")
        .select_for_update(of=("self",))
        .filter(pk=webhook.pk)
        .first()
    )
    if locked is None:
        raise WebhookGone
    return locked


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()
