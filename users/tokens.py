"""Access tokens, with which clients connect.

Invariants
----------
* A token is signed, not stored: issuing one writes no row. Users and environments store the time
  before which their tokens are invalid.
* A token is opaque to clients, at most 256 bytes, and safe in URLs. Several are valid at once. A
  token does not expire unless the environment or the caller sets a lifetime.
* A token belongs to one life of an id (AppUser's primary key): after deletion or deactivation it
  stays invalid, even if the id is registered again.
* A token is signed with the installation's key, not the app secret: it survives a change of the
  secret, and a reader of the database cannot forge one.
"""

import base64
import binascii
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from applications import audit, callers, vault
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity, presence
from users.models import AppUser, KickReason
from users.presence import Kick

# Version, life, environment, issued at and expires at (microseconds since 1970; 0: never), and a
# nonce, which makes tokens of the same microsecond differ. The user id follows.
_LAYOUT = struct.Struct(">BQQQQ6s")
_VERSION = 1
_SIGNATURE_BYTES = 32
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TokenRefused(Exception):
    """The token is not valid."""


class TokenUnknown(TokenRefused):
    """The token was not issued by this installation, or it is damaged."""


class TokenOfAnotherEnvironment(TokenUnknown):
    """The token was issued for a user of another environment."""


class TokenExpired(TokenRefused):
    """The token's lifetime is over."""


class TokenRevoked(TokenRefused):
    """The token was issued before the time from which tokens are valid."""


class TokenOfFormerUser(TokenRevoked):
    """The user that the token was issued to has been deleted or deactivated since."""

    def __init__(self, environment: Environment):
        super().__init__()
        self.environment = environment


class UnknownUsers(Exception):
    """Ids that are not registered; `user_ids` lists them."""

    def __init__(self, user_ids: Iterable[str]):
        self.user_ids = sorted(user_ids)
        super().__init__(gettext("Not registered: {names}").format(names=", ".join(self.user_ids)))


class TimeInFuture(Exception):
    """The time is in the future: tokens that are not issued yet cannot be revoked."""

    def __init__(self, before: datetime):
        super().__init__(
            gettext("{moment:%Y-%m-%d %H:%M:%S} UTC is in the future").format(
                moment=before.astimezone(UTC)
            )
        )


def micros(moment: datetime) -> int:
    """Microseconds since 1970, as in `Claims`."""
    return (moment - _EPOCH) // _MICROSECOND


def issue(user: AppUser, *, now: datetime, lifetime: timedelta | None = None) -> str:
    """Issue a further token for a registered user; the others stay valid.

    `lifetime` defaults to the environment's, which may be unlimited.
    """
    return issue_for_life(
        user.pk, user_id=user.user_id, environment=user.environment, now=now, lifetime=lifetime
    )


def issue_for_life(
    life: int,
    *,
    user_id: str,
    environment: Environment,
    now: datetime,
    lifetime: timedelta | None = None,
) -> str:
    """As `issue`, for a caller that has a user's primary key and no user."""
    lifetime = lifetime if lifetime is not None else environment.token_lifetime
    expires = micros(now + lifetime) if lifetime is not None else 0
    fixed = _LAYOUT.pack(
        _VERSION, life, environment.pk, micros(now), expires, secrets.token_bytes(6)
    )
    body = fixed + user_id.encode()
    return _text(body + vault.sign(body))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Claims:
    """The content of a correctly signed token, as of when it was issued."""

    life: int
    environment_id: int
    user_id: str
    issued: int  # microseconds since 1970
    expires: int = 0  # likewise; 0: never

    @property
    def issued_at(self) -> datetime:
        return _EPOCH + self.issued * _MICROSECOND

    @property
    def expires_at(self) -> datetime | None:
        """None if the token does not expire."""
        return _EPOCH + self.expires * _MICROSECOND if self.expires else None


def authenticate(*, environment: Environment, token: str, now: datetime) -> AppUser:
    """The user of a valid token. Raises a `TokenRefused`."""
    return user_of(read(token, now=now), app_key=environment.app_key)


def read(token: str, *, now: datetime) -> Claims:
    """The first half of `authenticate`, without the database: the claims in the token.

    Raises `TokenUnknown`, `TokenExpired`.
    """
    claims = decode(token)
    if claims.expires and micros(now) >= claims.expires:
        raise TokenExpired
    return claims


def decode(token: str) -> Claims:
    """The claims of a token that this installation has signed, expired or not. Raises
    `TokenUnknown`.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
        version, life, owner, issued, expires, _ = _LAYOUT.unpack(body[: _LAYOUT.size])
    except (binascii.Error, struct.error, ValueError):
        raise TokenUnknown from None
    # Base64 decoding ignores some changed characters, but a token has only one valid spelling.
    if _text(raw) != token or not vault.is_signed(body, signature) or version != _VERSION:
        raise TokenUnknown
    return Claims(life, owner, body[_LAYOUT.size :].decode(), issued, expires)


def user_of(claims: Claims, *, app_key: str) -> AppUser:
    """The second half of `authenticate`, one indexed read: the user, with environment and
    application.

    Raises `TokenOfAnotherEnvironment`, `TokenRevoked`, `TokenOfFormerUser`.
    """
    user = (
        AppUser.objects.select_related("environment__application")
        .filter(pk=claims.life, environment=claims.environment_id)
        .first()
    )
    environment = (
        user.environment
        if user is not None
        else Environment.objects.filter(pk=claims.environment_id).first()
    )
    if environment is None or environment.app_key != app_key:
        raise TokenOfAnotherEnvironment
    if user is None:
        raise TokenOfFormerUser(environment)
    for valid_from in (user.tokens_valid_from, environment.tokens_valid_from):
        if valid_from is not None and claims.issued < micros(valid_from):
            raise TokenRevoked
    return user


@transaction.atomic
def expire(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    before: datetime,
    by: Actor,
    now: datetime,
) -> list[str]:
    """Make these users' tokens invalid that were issued before `before`. Tokens issued at `before`
    or later stay valid, and open connections stay open. An earlier `before` than last time has no
    effect.

    Returns the ids that are not registered, which do not prevent the change for the others.
    Raises `TimeInFuture`.
    """
    if before > now:
        raise TimeInFuture(before)
    return _expire(environment, identity.check_user_ids(user_ids), before, by, now)


def _expire(
    environment: Environment, wanted: list[str], before: datetime, by: Actor, now: datetime
) -> list[str]:
    unknown = _unknown(environment, wanted)
    AppUser.objects.filter(
        Q(tokens_valid_from=None) | Q(tokens_valid_from__lt=before),
        environment=environment,
        user_id__in=wanted,
    ).update(tokens_valid_from=before)
    audit.record_many(
        AuditType.USER_TOKENS_EXPIRED,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (user_id, None, {"issued_before": before.isoformat()})
            for user_id in wanted
            if user_id not in unknown
        ],
    )
    return unknown


@transaction.atomic
def sign_out_everywhere(
    *, environment: Environment, user_id: str, by: Actor, now: datetime
) -> None:
    """Make all tokens of the user invalid, and close all connections. Raises `UnknownUsers`."""
    identity.lock(environment, [user_id])
    require_registered(environment, [user_id])
    _expire(environment, [user_id], now, by, now)
    kick = Kick(KickReason.SIGNED_OUT)
    presence.request_disconnect(environment=environment, kicks={user_id: kick}, now=now)


@transaction.atomic
def revoke_all(*, environment: Environment, by: Actor, now: datetime) -> None:
    """Make all access tokens of the environment invalid, and close all connections."""
    identity.lock_environment(environment)
    callers.clear_on_commit()
    Environment.objects.filter(pk=environment.pk).update(tokens_valid_from=now)
    environment.tokens_valid_from = now
    kick = Kick(KickReason.SIGNED_OUT)
    presence.request_disconnect_all(environment=environment, kick=kick, now=now)
    audit.record(AuditType.TOKENS_REVOKED, environment=environment, by=by, now=now)


def require_registered(environment: Environment, user_ids: list[str]) -> None:
    """Raises `UnknownUsers` with the ids that are not registered."""
    if unknown := _unknown(environment, user_ids):
        raise UnknownUsers(unknown)


def _unknown(environment: Environment, user_ids: list[str]) -> list[str]:
    """The ids that are not registered, in the order given."""
    known = set(
        AppUser.objects.filter(environment=environment, user_id__in=user_ids).values_list(
            "user_id", flat=True
        )
    )
    return [user_id for user_id in user_ids if user_id not in known]
