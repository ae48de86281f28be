"""Webhooks: the customer's endpoints, what each hears of, and in which format.

Invariants
----------
* Secrets are stored encrypted and shown once. Two may be live: every request is signed with both.
* An endpoint listens only for what its format has words for.
* An endpoint is a public https address; `applications.outbound` checks where its name leads, each
  time, because a name may lead elsewhere tomorrow.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from applications import audit, outbound, vault
from applications.announcements import EVENTS
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment, Webhook
from applications.vendors import vendors
from applications.webhook_formats import STANDARD, Format, unavailable

MAX_ENDPOINTS = 10
OWN_FORMAT = "standard"
_URL_MAX_LENGTH = Webhook._meta.get_field("url").max_length or 0


class InvalidEndpoint(Exception):
    """Not an endpoint that we would call; `field` says what is wrong."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


class WebhookGone(Exception):
    """Somebody else has removed the endpoint meanwhile."""


class TooManySecrets(Exception):
    """Two secrets are live already; the former one must be retired first."""


def formats() -> dict[str, Format]:
    """How events can be written: name → format; our own first, then those of vendors."""
    return {OWN_FORMAT: STANDARD, **formats_of_vendors()}


def formats_of_vendors() -> dict[str, Format]:
    return {each.name: each.webhook_format for each in vendors() if each.webhook_format}


def format_of(webhook: Webhook) -> Format:
    """The endpoint's format, as far as there is one here."""
    return formats().get(webhook.format) or unavailable(webhook.format)


@dataclass(frozen=True)
class NewWebhook:
    """An endpoint just made: the one moment when its secret's text is known."""

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
        next_turn_at=now,
    )
    after = {"url": url, "events": wanted, "format": format}
    record(AuditType.WEBHOOK_ADDED, webhook, by, now, after=after)
    return NewWebhook(webhook, text)


@transaction.atomic
def change(
    *, webhook: Webhook, url: str, events: Iterable[str], format: str, by: Actor, now: datetime
) -> None:
    """What waits is sent to the new address, in the new format. Raises `InvalidEndpoint`,
    `WebhookGone`.
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
    """A new secret, shown once; the one before it keeps signing until `retire_former_secret`.

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
    """Twice is no error. Raises `WebhookGone`."""
    locked = _lock(webhook)
    if locked.former_secret:
        Webhook.objects.filter(pk=webhook.pk).update(former_secret="")
        record(AuditType.WEBHOOK_SECRET_REVOKED, locked, by, now)


@transaction.atomic
def disable(*, webhook: Webhook, reason: str, by: Actor, now: datetime) -> None:
    """Stop sending, and give up what waits. Twice is no error. Raises `WebhookGone`."""
    locked = _lock(webhook)
    if not locked.is_disabled:
        Webhook.objects.filter(pk=webhook.pk).update(disabled_at=now, disabled_reason=reason)
        locked.deliveries.all().give_up(now)
        record(AuditType.WEBHOOK_DISABLED, locked, by, now, after={"reason": reason})


@transaction.atomic
def enable(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Listen again, from now on. Twice is no error. Raises `WebhookGone`."""
    locked = _lock(webhook)
    if locked.is_disabled:
        Webhook.objects.filter(pk=webhook.pk).update(
            disabled_at=None, disabled_reason="", failing_since=None, next_turn_at=now
        )
        record(AuditType.WEBHOOK_ENABLED, locked, by, now)


@transaction.atomic
def remove(*, webhook: Webhook, by: Actor, now: datetime) -> None:
    """The endpoint and its delivery log. Raises `WebhookGone`."""
    locked = _lock(webhook)
    record(AuditType.WEBHOOK_REMOVED, locked, by, now, before={"url": locked.url})
    locked.delete()


def record(type: AuditType, webhook: Webhook, by: Actor, now: datetime, **said: Any) -> None:
    audit.record(
        type, environment=webhook.environment, subject=str(webhook.pk), by=by, now=now, **said
    )


def _checked(url: str, events: Iterable[str], format: str) -> list[str]:
    """The events in the order of the catalogue."""
    if len(url) > _URL_MAX_LENGTH:
        raise InvalidEndpoint("url", f"An address has at most {_URL_MAX_LENGTH} characters.")
    try:
        outbound.check(url)
    except outbound.Refused as refusal:
        raise InvalidEndpoint("url", str(refusal)) from None
    chosen_format = formats().get(format)
    if chosen_format is None:
        raise InvalidEndpoint("format", "Unknown format.")
    chosen = set(events)
    if not chosen or not chosen <= set(EVENTS):
        raise InvalidEndpoint("events", "Choose at least one event.")
    unsayable = chosen - set(chosen_format.events)
    if unsayable:
        raise InvalidEndpoint(
            "events", f"This format has no words for {', '.join(sorted(unsayable))}."
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
