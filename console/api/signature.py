"""The signature that RongCloud's and Nexconn's callers prove themselves with.

Invariants
----------
* The signature is the SHA-1, in hex, of secret + nonce + timestamp, over the header texts exactly
  as received: seconds or milliseconds, decimal fractions and long nonces are all the same to it.
* Nothing expires and a nonce may come again: one of RongCloud's SDKs computes its headers once and
  sends them for as long as its process lives.
* Any live secret of the environment will do, or no secret could be changed without a gap.
"""

import hashlib
import hmac
import re

from django.http import HttpRequest

from applications import environments
from applications.audit import Actor, client_address
from applications.compiled import Compiled
from applications.models import AppSecret, AuditEvent
from console.api.vendor import Caller, Request

_APP_KEY = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
# Every call asks this.
_live_secrets = Compiled(AppSecret.objects.for_app_key, "app key")


class UnknownAppKey(Exception):
    """No environment has this app key, or none was sent."""

    def __init__(self) -> None:
        super().__init__("App-Key: missing, or not known here")


class BadSignature(Exception):
    """Not made with a live secret of this app key; the text says what is missing or wrong."""


class DoorClosed(Exception):
    """The application's owners have closed this vendor's door."""

    def __init__(self) -> None:
        super().__init__("This API is switched off for the application")


def app_key(request: HttpRequest) -> str:
    return _header(request, "App-Key")


def authenticate(request: Request) -> Caller:
    """Who calls. Raises `UnknownAppKey`, `BadSignature`, `DoorClosed`. One query, and a write at
    most once a minute for each secret.
    """
    key = app_key(request)
    secrets = _live_secrets(key) if _APP_KEY.fullmatch(key) else []
    if not secrets:
        raise UnknownAppKey
    nonce, timestamp, signature = (
        _required(request, name) for name in ("Nonce", "Timestamp", "Signature")
    )
    used = None
    for secret in secrets:
        if _is_signed(environments.secret_text(secret) + nonce + timestamp, signature):
            used = secret
    if used is None:
        raise BadSignature("Signature: not made with this app key's secret")
    if request.call.vendor not in used.environment.application.open_doors:
        raise DoorClosed
    environments.secret_used(used, now=request.call.now)
    return Caller(
        environment=used.environment,
        actor=Actor(
            kind=AuditEvent.ActorKind.APP_KEY,
            name=key,
            via=f"{request.call.vendor} {request.call.name}",
            address=client_address(request),
            request_id=request.call.request_id,
        ),
        call=request.call,
    )


def _header(request: HttpRequest, name: str) -> str:
    return request.headers.get(name) or request.headers.get(f"RC-{name}") or ""


def _required(request: HttpRequest, name: str) -> str:
    text = _header(request, name)
    if not text:
        raise BadSignature(f"{name}: missing")
    return text


def _is_signed(text: str, signature: str) -> bool:
    # Header texts are bytes, decoded as latin-1; so encoded, they are what was sent.
    made = hashlib.sha1(text.encode("latin-1", "replace"), usedforsecurity=False).hexdigest()
    return hmac.compare_digest(made.encode(), signature.lower().encode())
