"""How an event is written down and signed for an endpoint: our own way, and what vendors' ways are
made of.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks import Webhook as Signer

from applications import vault
from applications.announcements import EVENTS, TEST
from applications.models import Delivery, Webhook


@dataclass(frozen=True)
class Body:
    """What an event says, in some format."""

    content_type: str
    text: str


@dataclass(frozen=True)
class Signed:
    """Where it goes, and what proves that it is ours."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Format:
    """A way to write events down. `events` are those that it has words for."""

    label: str
    events: tuple[str, ...]
    body: Callable[[Delivery], Body]
    # Whether it signs with the webhook's own secrets; the page shows them only then.
    has_own_secret: bool
    signing_secrets: Callable[[Webhook], list[str]]
    sign: Callable[[Delivery, Body, list[str], datetime], Signed]


def _own_secrets(webhook: Webhook) -> list[str]:
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


def _sign(delivery: Delivery, body: Body, texts: list[str], now: datetime) -> Signed:
    """As Standard Webhooks says, with every live secret."""
    sent_at = now.astimezone(UTC)
    signatures = (Signer(text).sign(delivery.message_id, sent_at, body.text) for text in texts)
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
    has_own_secret=True,
    signing_secrets=_own_secrets,
    sign=_sign,
)


def unavailable(name: str) -> Format:
    """In place of a format whose vendor is not in this installation: it has words for nothing."""
    return Format(
        label=f"{name} (not available)",
        events=(),
        body=_body,
        has_own_secret=False,
        signing_secrets=lambda _: [],
        sign=_sign,
    )
