"""What RongCloud's and Nexconn's callbacks have in common: how they are signed.

Invariant: a callback is signed as the environment's callers sign, with its newest live app secret;
nonce, time and signature stand in the query, the body is not signed.
"""

import hashlib
import secrets
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from applications import environments
from applications.models import Delivery, Webhook
from applications.webhook_formats import Body, Signed


def app_secret(webhook: Webhook) -> list[str]:
    newest = webhook.environment.secrets.live().order_by("-pk")[:1]
    return [environments.secret_text(secret) for secret in newest]


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def sign(delivery: Delivery, _body: Body, texts: list[str], now: datetime) -> Signed:
    """Behind the address's own parameters."""
    [secret] = texts
    nonce, timestamp = secrets.token_hex(8), str(milliseconds(now))
    text = f"{secret}{nonce}{timestamp}"
    parameters = {
        "nonce": nonce,
        # The older and the newer name: receivers look for either.
        "timestamp": timestamp,
        "signTimestamp": timestamp,
        "signature": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    }
    parts = urlsplit(delivery.webhook.url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return Signed(urlunsplit(parts._replace(query=query)), {})
