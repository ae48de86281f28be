"""Agora's AccessToken2: signed by the app server itself, with the app secret as certificate.

`"007" + base64(zlib(signature, signed content))`; integers are little-endian and unsigned, texts
have a length of 16 bits before them.

Invariants
----------
* Nothing of a token is believed before its signature is checked, over the bytes as they came.
* A token costs no more than its bounds, whoever sent it: text, inflated content, every read.
* It lives for the shortest of three times: its own, its privilege's, and 24 hours.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PREFIX = "007"
MAX_LIFETIME = timedelta(days=1)
# Clocks differ: an issue time may lie so far ahead.
MAX_SKEW = timedelta(minutes=5)
_MAX_TEXT = 4_096
_MAX_CONTENT = 65_536

_CHAT, _USER_PRIVILEGE, _APP_PRIVILEGE = 5, 1, 2
# What follows the privileges of a service, by its type: texts, and bytes after them. A service has
# no length, so that behind an unknown type nothing can be read; they sort behind Chat.
_EXTRAS = {1: (2, 0), 2: (1, 0), 3: (2, 0), 4: (0, 0), _CHAT: (1, 0), 6: (2, 0), 7: (2, 2)}


class MalformedToken(Exception):
    """Not an AccessToken2."""


@dataclass(frozen=True)
class Grant:
    """What the token is for: one user, or, with an empty `user_id`, the app."""

    user_id: str
    expires_at: datetime


@dataclass(frozen=True)
class AccessToken:
    app_id: str
    issued_at: datetime
    grant: Grant | None  # None: nothing of Chat is in it
    signature: bytes
    signed: bytes

    def is_signed_with(self, certificate: str) -> bool:
        """In constant time."""
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
    """What the token says, unchecked. Raises `MalformedToken`."""
    content = _Reader(_inflated(token))
    signature, signed = content.text(), content.rest()
    reader = _Reader(signed)
    app_id = reader.text()
    # The signature's keys are made of fields at fixed places behind it.
    if len(app_id) != 32 or not app_id.isalnum():
        raise MalformedToken
    issued, lifetime, _salt = reader.uint32(), reader.uint32(), reader.uint32()
    issued_at = datetime.fromtimestamp(issued, UTC)
    granted = _chat_privileges(reader)
    grant = None
    # What serves the app and a user serves the app.
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
    # Decoding forgives a changed last character; a token has one spelling. And one end.
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
