"""Checks a token and returns whose it is: the app's or one of its users'.

There are three kinds of token: AccessToken2, which the app signs with its secret; our tokens for
apps (`service_token`); and our tokens for users (`users.tokens`). A banned user's tokens are
refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.agora import access_token, naming, service_token
from api.agora.wire import Failure
from applications import app_secrets
from applications.models import AppSecret, Environment
from moderation import bans
from users import tokens
from users.models import AppUser


class TokenRejected(Exception):
    def __init__(self, failure: Failure):
        self.failure = failure
        super().__init__(failure.value)


@dataclass(frozen=True)
class Credential:
    """A valid token: `secret` is set for an app, `user` for a user. An AccessToken2 of a user has
    both.
    """

    expires_at: datetime | None
    secret: AppSecret | None = None
    user: AppUser | None = None


def prove(
    token: str, *, environment: Environment, secrets: Sequence[AppSecret], now: datetime
) -> Credential:
    """Check a token. Raises `TokenRejected`."""
    if not token:
        raise TokenRejected(Failure.MISSING)
    if token.startswith(access_token.PREFIX):
        found = _by_access_token(token, environment, secrets, now)
    elif token.startswith(service_token.PREFIX):
        found = _by_service_token(token, environment, secrets, now)
    else:
        found = _by_users_token(token, environment, now)
    if found.secret is not None:
        app_secrets.note_use(found.secret, now=now)
    if found.user is not None:
        user_ids = [found.user.user_id]
        if bans.in_force(environment=environment, user_ids=user_ids, now=now):
            raise TokenRejected(Failure.NOT_OURS)
    return found


def _by_access_token(
    token: str, environment: Environment, secrets: Sequence[AppSecret], now: datetime
) -> Credential:
    try:
        found = access_token.parse(token)
    except access_token.MalformedToken:
        raise TokenRejected(Failure.MALFORMED) from None
    if found.app_id != environment.app_key:
        raise TokenRejected(Failure.OTHER_APP)
    used = None
    for secret in secrets:
        if found.is_signed_with(app_secrets.text(secret)):
            used = secret
    if used is None or found.grant is None or found.issued_at > now + access_token.MAX_SKEW:
        raise TokenRejected(Failure.NOT_OURS)
    grant = found.grant
    if now >= grant.expires_at:
        raise TokenRejected(Failure.EXPIRED)
    if not grant.user_id:
        return Credential(grant.expires_at, secret=used)
    user = naming.find_or_none(environment, grant.user_id)
    if user is None:
        raise TokenRejected(Failure.NOT_OURS)
    # A token from before the registration may belong to an earlier user of the same id. Issue
    # times are whole seconds: a token issued in the second of a revocation stays valid.
    for valid_from in (
        user.registered_at,
        user.tokens_valid_from,
        environment.tokens_valid_from,
    ):
        if valid_from is not None and found.issued_at + timedelta(seconds=1) <= valid_from:
            raise TokenRejected(Failure.EXPIRED)
    return Credential(grant.expires_at, secret=used, user=user)


def _by_service_token(
    token: str, environment: Environment, secrets: Sequence[AppSecret], now: datetime
) -> Credential:
    try:
        found = service_token.parse(token)
    except service_token.ForeignToken:
        raise TokenRejected(Failure.MALFORMED) from None
    if found.expires_at is not None and now >= found.expires_at:
        raise TokenRejected(Failure.EXPIRED)
    valid_from = environment.tokens_valid_from
    if valid_from is not None and found.issued_at < valid_from:
        raise TokenRejected(Failure.EXPIRED)
    for secret in secrets:
        if secret.pk == found.secret_id:
            return Credential(found.expires_at, secret=secret)
    raise TokenRejected(Failure.OTHER_APP)


def _by_users_token(token: str, environment: Environment, now: datetime) -> Credential:
    try:
        user = tokens.authenticate(environment=environment, token=token, now=now)
    except tokens.TokenUnknown:
        raise TokenRejected(Failure.MALFORMED) from None
    except tokens.TokenRefused:
        raise TokenRejected(Failure.EXPIRED) from None
    return Credential(tokens.read(token, now=now).expires_at, user=user)
