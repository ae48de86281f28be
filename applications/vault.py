"""What must be computed with, and must not be readable from the database.

Invariants
----------
* The keys (`ENCRYPTION_KEYS`) are never in the database. Who reads the database alone can neither
  sign an API call nor sign in as a user.
* The first key encrypts and signs; every key decrypts and verifies, so keys can be rotated.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def _derived(key: str, purpose: str) -> bytes:
    """32 bytes for one purpose: a leak of one use does not open another."""
    return hmac.new(key.encode(), f"rollcall {purpose}".encode(), hashlib.sha256).digest()


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key, "secrets"))) for key in keys])


def encrypt(text: str) -> str:
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """Raises `cryptography.fernet.InvalidToken` when no key of ours made it."""
    return _decrypted(tuple(settings.ENCRYPTION_KEYS), ciphertext)


def decrypt_once(ciphertext: str) -> str:
    """As `decrypt`, for what nobody will ask for again: it is not kept."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(ciphertext.encode()).decode()


# Kept, for every API call asks: a process that holds the keys may as well hold what they open.
@lru_cache(maxsize=1024)
def _decrypted(keys: tuple[str, ...], ciphertext: str) -> str:
    return _box(keys).decrypt(ciphertext.encode()).decode()


@lru_cache(maxsize=4)
def _signing_keys(keys: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(_derived(key, "access tokens") for key in keys)


def sign(message: bytes) -> bytes:
    """HMAC-SHA-256 of the message under the current key, 32 bytes."""
    return hmac.digest(_signing_keys(tuple(settings.ENCRYPTION_KEYS))[0], message, "sha256")


def macs(purpose: str, message: bytes) -> list[bytes]:
    """HMAC-SHA-256 for one purpose under each key, the current one first."""
    return [
        hmac.digest(_derived(key, purpose), message, "sha256") for key in settings.ENCRYPTION_KEYS
    ]


def is_signed(message: bytes, signature: bytes) -> bool:
    """Whether any of our keys made the signature; constant time for each key."""
    return any(
        hmac.compare_digest(hmac.digest(key, message, "sha256"), signature)
        for key in _signing_keys(tuple(settings.ENCRYPTION_KEYS))
    )
