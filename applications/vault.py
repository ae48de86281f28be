"""Encryption of secrets that are stored, and signatures of tokens.

Invariants
----------
* The keys (`ENCRYPTION_KEYS`) are never in the database. Somebody who can read only the database
  can neither sign an API call nor sign in as a user.
* The first key encrypts and signs; every key decrypts and verifies, so keys can be rotated.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _derived(key: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: if one leaks, the others stay safe."""
    return hmac.new(key.encode(), f"rollcall {purpose}".encode(), hashlib.sha256).digest()


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key, "secrets"))) for key in keys])


def encrypt(text: str) -> str:
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """Raises `cryptography.fernet.InvalidToken` if none of our keys encrypted it."""
    return _decrypted(tuple(settings.ENCRYPTION_KEYS), ciphertext)


def decrypt_once(ciphertext: str) -> str:
    """As `decrypt`, but without caching: for text that is needed once."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(ciphertext.encode()).decode()


# Cached because every API call needs it. The process has the keys anyway, so this exposes no more.
@lru_cache(maxsize=1024)
def _decrypted(keys: tuple[str, ...], ciphertext: str) -> str:
    return _box(keys).decrypt(ciphertext.encode()).decode()


def is_current(ciphertext: str) -> bool:
    """Whether the first key has encrypted it."""
    try:
        _box(tuple(settings.ENCRYPTION_KEYS[:1])).decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def renewed(ciphertext: str) -> str:
    """The same text under the first key. Raises `cryptography.fernet.InvalidToken`."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).rotate(ciphertext.encode()).decode()


def hint(key: bytes) -> str:
    """Names one of `keys_for` without revealing it: 8 hex digits."""
    return hmac.digest(key, b"hint", "sha256").hex()[:8]


@lru_cache(maxsize=4)
def _signing_keys(keys: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(_derived(key, "access tokens") for key in keys)


@lru_cache(maxsize=4)
def _signer(keys: tuple[str, ...]) -> hmac.HMAC:
    """To copy, which takes half as long as setting the key anew."""
    return hmac.new(_signing_keys(keys)[0], digestmod="sha256")


def sign(message: bytes) -> bytes:
    """HMAC-SHA-256 of the message under the current key, 32 bytes."""
    signer = _signer(tuple(settings.ENCRYPTION_KEYS)).copy()
    signer.update(message)
    return signer.digest()


def keys_for(purpose: str) -> list[bytes]:
    """A key of 32 bytes for this purpose from each of `ENCRYPTION_KEYS`, the current one first."""
    return [_derived(key, purpose) for key in settings.ENCRYPTION_KEYS]


def macs(purpose: str, message: bytes) -> list[bytes]:
    """HMAC-SHA-256 for one purpose under each key, the current one first."""
    return [hmac.digest(key, message, "sha256") for key in keys_for(purpose)]


def is_signed(message: bytes, signature: bytes) -> bool:
    """Whether one of our keys made the signature; constant time for each key."""
    return any(
        hmac.compare_digest(hmac.digest(key, message, "sha256"), signature)
        for key in _signing_keys(tuple(settings.ENCRYPTION_KEYS))
    )
