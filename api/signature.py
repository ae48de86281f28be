"""The signatures that RongCloud's and Nexconn's callers prove themselves with.

Invariants
----------
* Version 1, the vendors' own, is the SHA-1, in hex, of secret + nonce + timestamp, over the header
  texts exactly as received: seconds or milliseconds, decimal fractions and long nonces are all the
  same to it. Nothing expires and a nonce may come again: one of RongCloud's SDKs computes its
  headers once and sends them for as long as its process lives.
* Version 2, ours (`Signature-Version: 2`, docs/signature-v2.md), covers the whole request and is
  good once, within five minutes of its timestamp. An environment may demand it.
* Used nonces stand in the cache that all web processes share. While it is away no version 2 call
  passes: unlike a rate limit, a signature that is not checked is worth nothing.
* Any live secret of the environment will do, or no secret could be changed without a gap.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from pydantic import Field, StrictBool

from api.vendor import Caller, Request
from applications import app_secrets, callers
from applications.audit import Actor
from applications.models import AppSecret, AuditEvent, Environment
from applications.requests import client_address
from applications.vendors import VendorSettings

_APP_KEY = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)

# Half-open, so that a nonce is remembered for as long as its signature can be fresh.
FRESH = timedelta(minutes=5)
REMEMBERED = 2 * FRESH
_MILLISECONDS = re.compile(r"[0-9]{13}", re.ASCII)
_NONCE = re.compile(r"[!-~]{8,64}", re.ASCII)


class SignatureSettings(VendorSettings):
    """What an environment may choose of a vendor whose callers sign."""

    require_signature_v2: StrictBool = Field(
        False,
        title=gettext_noop("Require version 2 signatures"),
        description=gettext_noop(
            "Version 2 covers the whole request and is good once; see "
            "docs/signature-v2.md. The vendor's own SDKs cannot do it: their calls are then "
            "refused with code 1004."
        ),
    )


class UnknownAppKey(Exception):
    """No environment has this app key, or none was sent."""

    def __init__(self) -> None:
        super().__init__("App-Key: missing, or not known here")


class BadSignature(Exception):
    """Not made with a live secret of this app key; the text says what is missing or wrong."""


class NoncesAway(Exception):
    """Nobody knows which nonces were used."""

    def __init__(self) -> None:
        super().__init__("Signatures of version 2 cannot be checked just now")


class DoorClosed(Exception):
    """The application's owners have closed this vendor's door."""

    def __init__(self) -> None:
        super().__init__("This API is switched off for the application")


# Where WSGI has each of our headers; `request.headers` would first convert all of a request's.
_KEYS = {
    name: tuple(f"HTTP_{prefix}{name.upper().replace('-', '_')}" for prefix in ("", "RC_"))
    for name in ("App-Key", "Nonce", "Timestamp", "Signature", "Signature-Version")
}

# For the doors' documents: the headers, and which of them prove a caller.
SCHEMES = {
    name: {"type": "apiKey", "in": "header", "name": header, "description": description}
    for name, header, description in (
        ("AppKey", "App-Key", "The environment's app key."),
        ("Nonce", "Nonce", "Any text. Of version 2: 8 to 64 characters, another in each call."),
        ("Timestamp", "Timestamp", "Unix time. Of version 2: in milliseconds."),
        ("Signature", "Signature", "SHA-1 in hex of app secret + nonce + timestamp. Or version 2."),
        ("SignatureVersion", "Signature-Version", "2, for a signature over the whole request."),
    )
}
ALTERNATIVES = (
    ("AppKey", "Nonce", "Timestamp", "Signature"),
    ("AppKey", "Nonce", "Timestamp", "Signature", "SignatureVersion"),
)


def app_key(request: HttpRequest) -> str:
    return _header(request, "App-Key")


def authenticate(request: Request) -> Caller:
    """Who calls. Raises `UnknownAppKey`, `BadSignature`, `NoncesAway`, `DoorClosed`. At
    most one query, and a write once a minute for each secret.
    """
    key = app_key(request)
    secrets = callers.secrets_of_key(key, now=request.call.now) if _APP_KEY.fullmatch(key) else ()
    if not secrets:
        raise UnknownAppKey
    request.called = secrets[0]
    version = _header(request, "Signature-Version") or "1"
    if version == "2":
        used = _signer(request, secrets, _version_2)
        _require_fresh(request, used)
    elif version != "1":
        raise BadSignature("Signature-Version: 1 or 2")
    elif _requires_version_2(request, secrets[0].environment):
        raise BadSignature("Signature-Version: 2 is required in this environment")
    else:
        used = _signer(request, secrets, _version_1)
    if request.call.vendor not in used.environment.application.vendors:
        raise DoorClosed
    request.called, request.is_signed = used, True
    actor = Actor(
        kind=AuditEvent.ActorKind.APP_KEY,
        name=key,
        via=f"{request.call.vendor} {request.call.name}",
        address=client_address(request),
        request_id=request.call.request_id,
    )
    app_secrets.note_use(used, via=actor.via, address=actor.address, now=request.call.now)
    return Caller(
        environment=used.environment,
        actor=actor,
        call=request.call,
    )


def _requires_version_2(request: Request, environment: Environment) -> bool:
    return SignatureSettings.of(environment, request.call.vendor).require_signature_v2


def _signer(
    request: Request, secrets: Sequence[AppSecret], made: Callable[[Request, str], str]
) -> AppSecret:
    """The secret that the request's signature is made with."""
    for name in ("Nonce", "Timestamp"):
        _required(request, name)
    signature = _required(request, "Signature").lower().encode()
    used = None
    for secret in secrets:
        if hmac.compare_digest(made(request, app_secrets.text(secret)).encode(), signature):
            used = secret
    if used is None:
        raise BadSignature("Signature: not made with this app key's secret")
    return used


def _version_1(request: Request, secret: str) -> str:
    text = secret + _header(request, "Nonce") + _header(request, "Timestamp")
    # Header texts are bytes, decoded as latin-1; so encoded, they are what was sent.
    return hashlib.sha1(text.encode("latin-1", "replace"), usedforsecurity=False).hexdigest()


def _version_2(request: Request, secret: str) -> str:
    signed = "\n".join(
        (
            request.method or "",
            request.get_full_path(),
            hashlib.sha256(request.body).hexdigest(),
            _header(request, "Timestamp"),
            _header(request, "Nonce"),
        )
    )
    return hmac.digest(secret.encode(), signed.encode("latin-1", "replace"), "sha256").hex()


def _require_fresh(request: Request, secret: AppSecret) -> None:
    """Asked only of what is signed, so that nobody uses up another's nonces."""
    timestamp, nonce = _header(request, "Timestamp"), _header(request, "Nonce")
    if not _MILLISECONDS.fullmatch(timestamp):
        raise BadSignature("Timestamp: Unix time in milliseconds, 13 digits")
    if not _NONCE.fullmatch(nonce):
        raise BadSignature("Nonce: 8 to 64 characters, none of them a blank")
    made_at = datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    if not -FRESH < request.call.now - made_at < FRESH:
        raise BadSignature("Timestamp: more than five minutes from the server's clock")
    key = f"nonce:{secret.environment_id}:{hashlib.sha256(nonce.encode()).hexdigest()}"
    try:
        is_new = cache.add(key, 1, timeout=REMEMBERED.total_seconds())
    except Exception as error:
        # Whatever the cache's client raises.
        raise NoncesAway from error
    if not is_new:
        raise BadSignature("Nonce: used before")


def _header(request: HttpRequest, name: str) -> str:
    for key in _KEYS[name]:
        if text := request.META.get(key):
            return str(text)
    return ""


def _required(request: HttpRequest, name: str) -> str:
    text = _header(request, name)
    if not text:
        raise BadSignature(f"{name}: missing")
    return text


def headers(secret: AppSecret, now: datetime) -> dict[str, str]:
    """The headers of a call that is signed with this secret (version 1)."""
    nonce, timestamp = token_hex(8), str(int(now.timestamp() * 1000))
    signed = f"{app_secrets.text(secret)}{nonce}{timestamp}".encode()
    return {
        "App-Key": secret.environment.app_key,
        "Nonce": nonce,
        "Timestamp": timestamp,
        "Signature": hashlib.sha1(signed).hexdigest(),  # noqa: S324 - the vendors' algorithm
    }
