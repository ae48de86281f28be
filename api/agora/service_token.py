"""App tokens that we issue ourselves (`POST /token`), for clients that sign none.

Invariants
----------
* Signed, not stored, under a key for this one purpose: no access token of a user is one, whatever
  its bytes.
* A token stands for the app secret that it was got with, and dies with it. Revoking all tokens of
  an environment takes it along.
"""

import base64
import binascii
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from applications import vault

# A user's token begins otherwise: its first byte is a version, so "AQ".
PREFIX = "app-"
_PURPOSE = "agora service tokens"
# Secret, issued at and expires at (microseconds since 1970; 0: never), and a nonce.
_LAYOUT = struct.Struct(">QQQ6s")
_SIGNATURE_BYTES = 32
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ForeignToken(Exception):
    """Not made here, or damaged."""


@dataclass(frozen=True)
class ServiceToken:
    secret_id: int
    issued_at: datetime
    expires_at: datetime | None


def issue(*, secret_id: int, now: datetime, lifetime: timedelta | None) -> str:
    """Without a lifetime it does not end by itself."""
    expires = (now + lifetime - _EPOCH) // _MICROSECOND if lifetime is not None else 0
    body = _LAYOUT.pack(secret_id, (now - _EPOCH) // _MICROSECOND, expires, secrets.token_bytes(6))
    return _text(body + vault.macs(_PURPOSE, body)[0])


def _text(raw: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parse(token: str) -> ServiceToken:
    """What the token says, its signature checked. Raises `ForeignToken`."""
    text = token.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
        secret_id, issued, expires, _ = _LAYOUT.unpack(body)
    except (binascii.Error, struct.error, ValueError):
        raise ForeignToken from None
    made = vault.macs(_PURPOSE, body)
    # Decoding forgives a few changed characters; a token has one spelling.
    if _text(raw) != token or not any(hmac.compare_digest(mac, signature) for mac in made):
        raise ForeignToken
    return ServiceToken(
        secret_id,
        _EPOCH + issued * _MICROSECOND,
        _EPOCH + expires * _MICROSECOND if expires else None,
    )
