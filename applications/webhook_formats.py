"""How an event is serialized and signed for an endpoint: the standard format, and the type of
vendors' formats.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext
from standardwebhooks import Webhook as Signer

from applications import vault
from applications.announcements import EVENTS, TEST
from applications.models import Delivery, Webhook


@dataclass(frozen=True)
class Body:
    """An event in some format."""

    content_type: str
    text: str


@dataclass(frozen=True)
class Signed:
    """The address of a request and the headers of its signature."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Format:
    """A format of events. `events` are those that it can express."""

    label: str
    events: tuple[str, ...]
    body: Callable[[Delivery], Body]
    # Whether it signs with the webhook's secrets; the page shows them only then.
    uses_webhook_secret: bool
    signing_secrets: Callable[[Webhook], list[str]]
    sign: Callable[[Delivery, Body, list[str], datetime], Signed]


def _webhook_secrets(webhook: Webhook) -> list[str]:
    return [vault.decrypt(each) for each in (webhook.secret, webhook.former_secret) if each]


def _body(delivery: Delivery) -> Body:
    environment = delivery.webhook.environment
    text = json.dumps(
        {
            "type": delivery.event,
            "timestamp": delivery.occurred_at.astimezone(UTC).isoformat(),
            "app_key": environment.app_key,
            "environment": environment.kind,
            "data": delivery.data,
        },
        separators=(",", ":"),
    )
    return Body("application/json", text)


def _sign(delivery: Delivery, body: Body, secrets: list[str], now: datetime) -> Signed:
    """Standard Webhooks: one signature for each live secret."""
    sent_at = now.astimezone(UTC)
    signatures = (Signer(each).sign(delivery.message_id, sent_at, body.text) for each in secrets)
    headers = {
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return Signed(delivery.webhook.url, headers)


STANDARD = Format(
    label="Standard Webhooks",
    events=(*EVENTS, TEST),
    body=_body,
    uses_webhook_secret=True,
    signing_secrets=_webhook_secrets,
    sign=_sign,
)


def unavailable(name: str) -> Format:
    """Stands for a format whose vendor is not installed: it can express no event."""
    return Format(
        label=gettext("{name} (not available)").format(name=name),
        events=(),
        body=_body,
        uses_webhook_secret=False,
        signing_secrets=lambda _: [],
        sign=_sign,
    )
