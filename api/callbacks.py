"""What RongCloud's and Nexconn's callbacks share: their events and their signature.

Invariant: a callback is signed like a call to the API, with the environment's newest live app
secret. Nonce, time and signature are in the query; the body is not signed.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from applications import app_secrets
from applications.models import Delivery, Webhook
from applications.unix_time import milliseconds
from applications.webhook_formats import Body, Format, Signed

# The calls that return the online status use the opposite values.
STATUS = {"user.online": "0", "user.offline": "1"}
# Values of `type`. Bans, deletions and the quota have no callback.
OPERATION = {"user.deactivated": 0, "user.reactivated": 1}


def signed_format(*, label: str, body: Callable[[Delivery], Body]) -> Format:
    """The format of callbacks about connections, deactivations and reactivations."""
    return Format(
        label=label,
        events=(*STATUS, *OPERATION),
        body=body,
        uses_webhook_secret=False,
        signing_secrets=app_secret,
        sign=sign,
    )


def app_secret(webhook: Webhook) -> list[str]:
    newest = webhook.environment.secrets.live().filter(ends_at=None).order_by("-pk")[:1]
    return [app_secrets.text(secret) for secret in newest]


def sign(delivery: Delivery, _body: Body, texts: list[str], now: datetime) -> Signed:
    """Appends the signature to the query of the webhook's URL."""
    [secret] = texts
    nonce, timestamp = secrets.token_hex(8), str(milliseconds(now))
    text = f"{secret}{nonce}{timestamp}"
    parameters = {
        "nonce": nonce,
        # The older and the newer name: some receivers read one, some the other.
        "timestamp": timestamp,
        "signTimestamp": timestamp,
        "signature": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    }
    parts = urlsplit(delivery.webhook.url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return Signed(urlunsplit(parts._replace(query=query)), {})
