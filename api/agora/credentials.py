"""Checks a token and returns whose it is: the app's or one of its users'.

There are three kinds of token: AccessToken2, which the app signs with its secret; our tokens for
apps (`service_token`); and our tokens for users (`users.tokens`). A banned user's tokens are
refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.agora import service_token
from api.agora.wire import Failure
from applications.models import AppSecret, Environment
from moderation import bans
from users import app_tokens, tokens
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
    if token.startswith(app_tokens.PREFIX):
        found = _by_access_token(token, environment, secrets, now)
    elif token.startswith(service_token.PREFIX):
        found = _by_service_token(token, environment, secrets, now)
    else:
        found = _by_users_token(token, environment, now)
    if found.user is not None:
        user_ids = [found.user.user_id]
        if bans.in_force(environment=environment, user_ids=user_ids, now=now):
            raise TokenRejected(Failure.NOT_OURS)
    return found


def _by_access_token(
    token: str, environment: Environment, secrets: Sequence[AppSecret], now: datetime
) -> Credential:
    try:
        found = app_tokens.authenticate(token, environment=environment, secrets=secrets, now=now)
    except app_tokens.MalformedToken:
        raise TokenRejected(Failure.MALFORMED) from None
    except tokens.TokenOfAnotherEnvironment:
        raise TokenRejected(Failure.OTHER_APP) from None
    except (app_tokens.NotSignedByApp, tokens.UnknownUsers):
        raise TokenRejected(Failure.NOT_OURS) from None
    except tokens.TokenRefused:
        raise TokenRejected(Failure.EXPIRED) from None
    return Credential(found.expires_at, secret=found.secret, user=found.user)


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


def headers(secret: AppSecret, now: datetime) -> dict[str, str]:
    """The headers of a call by the app itself, with a token that is valid for five minutes."""
    token = service_token.issue(secret_id=secret.pk, now=now, lifetime=timedelta(minutes=5))
    return {"Authorization": f"Bearer {token}"}
