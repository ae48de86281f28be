"""Access tokens: what a client shows to connect.

Invariants
----------
* A token is signed, not stored: issuing one writes no row. What is stored is the moment before
  which tokens are dead: of a user, and of a whole environment.
* Opaque to clients, at most 256 bytes, safe in URLs. Several are valid at once, and none ends by
  itself unless the environment sets a lifetime, or its caller does.
* A token names one life of an id (AppUser's primary key): after deletion or deactivation it stays
  dead, whoever registers the id again.
* It is signed with the installation's key, not the app secret, so it survives a change of secret,
  and a reader of the database cannot make one.
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

from applications import audit, callers, vault
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity, presence
from users.models import AppUser, KickReason
from users.presence import Kick

# Version, life, environment, issued at and expires at (microseconds since 1970; 0: never), and a
# nonce that tells apart two tokens of one microsecond. The user id follows.
_LAYOUT = struct.Struct(">BQQQQ6s")
_VERSION = 1
_SIGNATURE_BYTES = 32
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TokenRefused(Exception):
    """The token opens nothing."""


class TokenUnknown(TokenRefused):
    """Not made here, or damaged."""


class TokenOfAnotherEnvironment(TokenUnknown):
    """Made here, for users of another environment."""


class TokenExpired(TokenRefused):
    """Its own lifetime is over."""


class TokenRevoked(TokenRefused):
    """It was issued before a moment from which on only later ones are good."""


class TokenOfFormerUser(TokenRevoked):
    """The life of the id that it was issued to is over: deleted, or deactivated."""

    def __init__(self, environment: Environment):
        super().__init__()
        self.environment = environment


class UnknownUsers(Exception):
    """Ids that are not registered; `user_ids` lists them."""

    def __init__(self, user_ids: Iterable[str]):
        self.user_ids = sorted(user_ids)
        super().__init__(f"Not registered: {', '.join(self.user_ids)}")


class MomentAhead(Exception):
    """Tokens that are not issued yet cannot be revoked: it would lock the user out for good."""

    def __init__(self, before: datetime):
        super().__init__(f"{before.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC is still to come")


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def issue(user: AppUser, *, now: datetime, lifetime: timedelta | None = None) -> str:
    """A further token for a registered user; the others stay valid.

    `lifetime` None means the environment's, which may be none at all.
    """
    lifetime = lifetime if lifetime is not None else user.environment.token_lifetime
    expires = _micros(now + lifetime) if lifetime is not None else 0
    fixed = _LAYOUT.pack(
        _VERSION, user.pk, user.environment_id, _micros(now), expires, secrets.token_bytes(6)
    )
    body = fixed + user.user_id.encode()
    return _text(body + vault.sign(body))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Claims:
    """What a token of ours says: true when it was issued, and not more."""

    life: int
    environment_id: int
    user_id: str
    issued: int  # microseconds since 1970
    expires: int = 0  # likewise; 0: never

    @property
    def expires_at(self) -> datetime | None:
        """None: it does not end by itself."""
        return _EPOCH + self.expires * _MICROSECOND if self.expires else None


def authenticate(*, environment: Environment, token: str, now: datetime) -> AppUser:
    """The user whom a good token stands for. Raises a `TokenRefused`."""
    return user_of(read(token, now=now), app_key=environment.app_key)


def read(token: str, *, now: datetime) -> Claims:
    """The half of `authenticate` that the token answers by itself, without the database. Raises
    `TokenUnknown`, `TokenExpired`.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
        version, life, owner, issued, expires, _ = _LAYOUT.unpack(body[: _LAYOUT.size])
    except (binascii.Error, struct.error, ValueError):
        raise TokenUnknown from None
    # Decoding forgives a few changed characters; a token has one spelling.
    if _text(raw) != token or not vault.is_signed(body, signature) or version != _VERSION:
        raise TokenUnknown
    if expires and _micros(now) >= expires:
        raise TokenExpired
    return Claims(life, owner, body[_LAYOUT.size :].decode(), issued, expires)


def user_of(claims: Claims, *, app_key: str) -> AppUser:
    """The half of `authenticate` that the database answers, in one indexed read: the user, with
    environment and application. Whoever lets the user in asks under `identity.lock_to_let_in`.

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
        if valid_from is not None and claims.issued < _micros(valid_from):
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
    """Tokens of these users issued before `before` are dead; one issued at it or later lives. Open
    connections stay open. An earlier `before` than last time revives nothing.

    Returns the ids that are not registered: one of them must not keep the others' tokens alive.
    Raises `MomentAhead`.
    """
    if before > now:
        raise MomentAhead(before)
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
    """Every token so far is dead and every connection closes. Raises `UnknownUsers`."""
    identity.lock(environment, [user_id])
    require_registered(environment, [user_id])
    _expire(environment, [user_id], now, by, now)
    kick = Kick(KickReason.SIGNED_OUT)
    presence.request_disconnect(environment=environment, kicks={user_id: kick}, now=now)


@transaction.atomic
def revoke_all(*, environment: Environment, by: Actor, now: datetime) -> None:
    """Every access token of the environment is dead, and every connection closes."""
    identity.lock_environment(environment)
    callers.clear_on_commit()
    Environment.objects.filter(pk=environment.pk).update(tokens_valid_from=now)
    environment.tokens_valid_from = now
    kick = Kick(KickReason.SIGNED_OUT)
    presence.request_disconnect_all(environment=environment, kick=kick, now=now)
    audit.record(AuditType.TOKENS_REVOKED, environment=environment, by=by, now=now)


def require_registered(environment: Environment, user_ids: list[str]) -> None:
    """Raises `UnknownUsers`, which names those that are not."""
    if unknown := _unknown(environment, user_ids):
        raise UnknownUsers(unknown)


def _unknown(environment: Environment, user_ids: list[str]) -> list[str]:
    """Which of these are not registered, in the order given."""
    known = set(
        AppUser.objects.filter(environment=environment, user_id__in=user_ids).values_list(
            "user_id", flat=True
        )
    )
    return [user_id for user_id in user_ids if user_id not in known]
