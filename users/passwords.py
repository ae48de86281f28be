"""Passwords of app users, for vendors whose users sign in by password.

Invariants
----------
* The stored value is a salted PBKDF2 hash of the password's HMAC under the installation's key. A
  guess cannot be tested with the database alone, without the key. So the work factor can be low
  enough to register sixty users in one call.
* The salt begins with the name of the key. A hash under an older key is replaced as soon as its
  user signs in, because nobody else knows the password.
* A new password signs the user out: tokens become invalid, connections close.
"""

from datetime import datetime

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import transaction
from django.db.models import QuerySet

from applications import audit, vault
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity, tokens
from users.models import AppUser
from users.tokens import UnknownUsers

MAX_BYTES = 64
_ITERATIONS = 10_000
_PURPOSE = "passwords"
_hasher = PBKDF2PasswordHasher()


class InvalidPassword(Exception):
    """A password has 1 to 64 bytes."""


def encode(password: str) -> str:
    """The hash to store. Raises `InvalidPassword`."""
    if not password or not identity.is_text(password, MAX_BYTES):
        raise InvalidPassword(f"A password has 1 to {MAX_BYTES} bytes")
    if len(password.encode()) > MAX_BYTES:
        raise InvalidPassword(f"A password has 1 to {MAX_BYTES} bytes")
    peppered = vault.macs(_PURPOSE, password.encode())[0].hex()
    return _hasher.encode(peppered, _salt_prefix() + _hasher.salt(), iterations=_ITERATIONS)


def under_older_keys() -> "QuerySet[AppUser]":
    """The users whose hash needs a key that is not the first of `ENCRYPTION_KEYS`."""
    current = f"{_hasher.algorithm}${_ITERATIONS}${_salt_prefix()}"
    return AppUser.objects.exclude(password="").exclude(password__startswith=current)


def _salt_prefix() -> str:
    return vault.hint(vault.keys_for(_PURPOSE)[0]) + "."


def is_correct(user: AppUser, password: str) -> bool:
    """Whether this is the user's password. Always False for a user without a password."""
    if not user.password:
        return False
    candidates = vault.macs(_PURPOSE, password.encode(errors="replace"))
    for place, mac in enumerate(candidates):
        if _hasher.verify(mac.hex(), user.password):
            if place:
                renewed = encode(password)
                AppUser.objects.filter(pk=user.pk, password=user.password).update(password=renewed)
            return True
    return False


@transaction.atomic
def change(
    *, environment: Environment, user_id: str, password: str, by: Actor, now: datetime
) -> None:
    """Set a password, and sign the user out everywhere.

    Raises `UnknownUsers`, `InvalidPassword`.
    """
    encoded = encode(password)
    identity.lock(environment, [user_id])
    changed = AppUser.objects.filter(environment=environment, user_id=user_id).update(
        password=encoded, changed_at=now
    )
    if not changed:
        raise UnknownUsers([user_id])
    audit.record(
        AuditType.USER_PASSWORD_CHANGED, environment=environment, subject=user_id, by=by, now=now
    )
    tokens.sign_out_everywhere(environment=environment, user_id=user_id, by=by, now=now)
