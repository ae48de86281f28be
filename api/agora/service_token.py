"""App tokens that `POST /token` issues, for clients that do not sign tokens themselves.

Invariants
----------
* A token is signed and not stored. The key is for this purpose alone, so a user's access token
  never passes as an app token.
* A token becomes invalid when the app secret that it was issued for is revoked, and when all tokens
  of the environment are revoked.
"""

import base64
import binascii
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from applications import vault

# A user's token never begins so: its first byte is a version, which encodes as "AQ".
PREFIX = "app-"
_PURPOSE = "agora service tokens"
# Secret, issued at and expires at (microseconds since 1970; 0: never), and a nonce.
_LAYOUT = struct.Struct(">QQQ6s")
_SIGNATURE_BYTES = 32
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ForeignToken(Exception):
    """The token was not issued here, or is damaged."""


@dataclass(frozen=True)
class ServiceToken:
    secret_id: int
    issued_at: datetime
    expires_at: datetime | None


def issue(*, secret_id: int, now: datetime, lifetime: timedelta | None) -> str:
    """A new token; without a lifetime it does not expire."""
    expires = (now + lifetime - _EPOCH) // _MICROSECOND if lifetime is not None else 0
    body = _LAYOUT.pack(secret_id, (now - _EPOCH) // _MICROSECOND, expires, secrets.token_bytes(6))
    return _text(body + vault.macs(_PURPOSE, body)[0])


def _text(raw: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parse(token: str) -> ServiceToken:
    """The token's content, after its signature is checked. Raises `ForeignToken`."""
    text = token.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
        secret_id, issued, expires, _ = _LAYOUT.unpack(body)
    except (binascii.Error, struct.error, ValueError):
        raise ForeignToken from None
    made = vault.macs(_PURPOSE, body)
    # Base64 decoding ignores some bits: accept only one spelling of a token.
    if _text(raw) != token or not any(hmac.compare_digest(mac, signature) for mac in made):
        raise ForeignToken
    return ServiceToken(
        secret_id,
        _EPOCH + issued * _MICROSECOND,
        _EPOCH + expires * _MICROSECOND if expires else None,
    )
