"""Tokens that an app server signs itself with an app secret, in the format AccessToken2.

`"007" + base64(zlib(signature, signed content))`. Integers are little-endian and unsigned; a text
follows its length, which has 16 bits.

Invariants
----------
* A token is not trusted before its signature is checked, over the bytes as received.
* The size of the token, of its inflated content and of every read is bounded.
* Its lifetime is the shortest of three: its own, its privilege's, and 24 hours.
* A user's token is refused if the user's or the environment's tokens were revoked after its issue,
  or if the user registered after it. Issue times are whole seconds: a token that was issued in the
  second of the revocation stays valid.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from applications import app_secrets
from applications.models import AppSecret, Environment
from users import lookup, tokens
from users.models import AppUser
from users.tokens import Claims, TokenUnknown, UnknownUsers

PREFIX = "007"
MAX_LIFETIME = timedelta(days=1)
# Clocks differ: an issue time may be this far in the future.
MAX_SKEW = timedelta(minutes=5)
_ISSUE_ROUNDED = timedelta(seconds=1)
_MAX_TEXT = 4_096
_MAX_CONTENT = 65_536

_CHAT, _USER_PRIVILEGE, _APP_PRIVILEGE = 5, 1, 2
# What follows the privileges of a service, by its type: the number of texts, then of bytes. A
# service has no length field, so nothing after an unknown type can be read; those come after Chat.
_EXTRAS = {1: (2, 0), 2: (1, 0), 3: (2, 0), 4: (0, 0), _CHAT: (1, 0), 6: (2, 0), 7: (2, 2)}


class MalformedToken(TokenUnknown):
    """Not an AccessToken2."""


class NotSignedByApp(TokenUnknown):
    """No live app secret has signed the token, or it grants nothing here."""


@dataclass(frozen=True)
class AppToken:
    """A valid token; `user` is None if it is the app's own."""

    secret: AppSecret
    user: AppUser | None
    issued_at: datetime
    expires_at: datetime

    def claims(self, user: AppUser) -> Claims:
        """The claims of a token that was issued to `user` here at the same time."""
        return Claims(
            life=user.pk,
            environment_id=user.environment_id,
            user_id=user.user_id,
            issued=tokens.micros(self.issued_at + _ISSUE_ROUNDED) - 1,
            expires=tokens.micros(self.expires_at),
        )


def authenticate(
    token: str, *, environment: Environment, secrets: Sequence[AppSecret], now: datetime
) -> AppToken:
    """The token, checked against the environment's live secrets.

    Raises `MalformedToken`, `NotSignedByApp`, `TokenOfAnotherEnvironment`, `TokenExpired`,
    `TokenRevoked`, `UnknownUsers`.
    """
    found = parse(token)
    if found.app_id != environment.app_key:
        raise tokens.TokenOfAnotherEnvironment
    used = None
    for secret in secrets:
        if found.is_signed_with(app_secrets.text(secret)):
            used = secret
    if used is None or found.grant is None or found.issued_at > now + MAX_SKEW:
        raise NotSignedByApp
    grant = found.grant
    if now >= grant.expires_at:
        raise tokens.TokenExpired
    user = None
    if grant.user_id:
        user = lookup.by_name(environment, grant.user_id)
        if user is None:
            raise UnknownUsers([grant.user_id])
        # A token from before the registration may belong to an earlier user of the same id.
        for valid_from in (
            user.registered_at,
            user.tokens_valid_from,
            environment.tokens_valid_from,
        ):
            if valid_from is not None and found.issued_at + _ISSUE_ROUNDED <= valid_from:
                raise tokens.TokenRevoked
    return AppToken(used, user, found.issued_at, grant.expires_at)


@dataclass(frozen=True)
class Grant:
    """What the token grants: access as one user, or as the app if `user_id` is empty."""

    user_id: str
    expires_at: datetime


@dataclass(frozen=True)
class AccessToken:
    app_id: str
    issued_at: datetime
    grant: Grant | None  # None: the token grants nothing for Chat
    signature: bytes
    signed: bytes

    def is_signed_with(self, certificate: str) -> bool:
        """Compares in constant time."""
        issued, salt = self.signed[34:38], self.signed[42:46]
        key = hmac.digest(issued, certificate.encode(), hashlib.sha256)
        key = hmac.digest(salt, key, hashlib.sha256)
        made = hmac.digest(key, self.signed, hashlib.sha256)
        return hmac.compare_digest(made, self.signature)


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise MalformedToken
        self.at += count
        return self.data[self.at - count : self.at]

    def uint16(self) -> int:
        return int(struct.unpack("<H", self.take(2))[0])

    def uint32(self) -> int:
        return int(struct.unpack("<I", self.take(4))[0])

    def text(self) -> bytes:
        return self.take(self.uint16())

    def rest(self) -> bytes:
        return self.data[self.at :]


def parse(token: str) -> AccessToken:
    """The token's content. The signature is not checked. Raises `MalformedToken`."""
    content = _Reader(_inflated(token))
    signature, signed = content.text(), content.rest()
    reader = _Reader(signed)
    app_id = reader.text()
    # The signing keys are derived from fields at fixed positions after the app id.
    if len(app_id) != 32 or not app_id.isalnum():
        raise MalformedToken
    issued, lifetime, _salt = reader.uint32(), reader.uint32(), reader.uint32()
    issued_at = datetime.fromtimestamp(issued, UTC)
    granted = _chat_privileges(reader)
    grant = None
    # A token for the app and a user is the app's.
    for user_id, seconds in sorted(granted, key=lambda each: bool(each[0]))[:1]:
        shortest = min(lifetime, seconds, int(MAX_LIFETIME.total_seconds()))
        grant = Grant(user_id, issued_at + timedelta(seconds=shortest))
    return AccessToken(app_id.decode(), issued_at, grant, signature, signed)


def _inflated(token: str) -> bytes:
    if not token.startswith(PREFIX) or len(token) > _MAX_TEXT:
        raise MalformedToken
    text = token.removeprefix(PREFIX)
    try:
        packed = base64.b64decode(text, validate=True)
        inflater = zlib.decompressobj()
        content = inflater.decompress(packed, _MAX_CONTENT)
    except (binascii.Error, ValueError, zlib.error):
        raise MalformedToken from None
    # Base64 decoding ignores some bits of the last character, and zlib ignores trailing data.
    # Accept only one spelling of a token.
    if base64.b64encode(packed).decode() != text or not inflater.eof or inflater.unused_data:
        raise MalformedToken
    return content


def _chat_privileges(reader: _Reader) -> list[tuple[str, int]]:
    """(user, seconds) of each privilege for Chat; an empty user is the app."""
    granted = []
    for _ in range(reader.uint16()):
        type = reader.uint16()
        if type not in _EXTRAS:
            break
        privileges = {reader.uint16(): reader.uint32() for _ in range(reader.uint16())}
        texts, more = _EXTRAS[type]
        extras = [reader.text() for _ in range(texts)]
        reader.take(more)
        if type != _CHAT:
            continue
        user_id = extras[0].decode(errors="replace")
        if _APP_PRIVILEGE in privileges:
            granted.append(("", privileges[_APP_PRIVILEGE]))
        if _USER_PRIVILEGE in privileges and user_id:
            granted.append((user_id, privileges[_USER_PRIVILEGE]))
    return granted
