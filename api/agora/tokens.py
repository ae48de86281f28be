"""POST /token: issues a token to the app or to one of its users."""

import hmac
from datetime import timedelta
from typing import Annotated, Any

from ninja import Body, Router
from pydantic import BaseModel, Field

from api.agora import auth, naming, responses, schemas, service_token, users, wire
from api.agora.auth import Caller, Request
from api.agora.envelope import entities
from api.agora.wire import Failure, Refused
from applications import app_secrets, guesses
from applications.guesses import Guess, Pace
from applications.models import AppSecret
from applications.unix_time import milliseconds
from moderation import bans
from users import lookup, passwords
from users import tokens as access_tokens
from users.models import AppUser

router = Router(tags=["Tokens"], exclude_unset=True)
DEFAULT_LIFETIME = timedelta(days=60)
# Seconds shown for "never": clients store the number in 32 bits.
FOREVER = 2_147_483_647
# The vendors do not publish a number. Many users may share an address: an app server's, or a mobile
# network's.
GUESSES = guesses.Limits(
    by_name=Pace(10, timedelta(seconds=15)),
    by_address=Pace(100, timedelta(seconds=1)),
    known=Pace(10, timedelta(seconds=15)),
)
# A default for a key that is left out if it is not set.
_UNSET: Any = None


class TokenExpiry(BaseModel):
    access_token: str
    expires_in: Annotated[int, Field(description="seconds")]
    expire_timestamp: responses.UnixMilliseconds


class Token(TokenExpiry):
    """`application` for an app's token, `user` for a user's."""

    application: str = ""
    user: responses.User = _UNSET


@router.post("token", auth=auth.anybody, response=Token)
def token(request: Request, body: Body[schemas.TokenRequest]) -> Any:
    """Issue a token: the app's for `client_credentials`, a user's for `password` and `inherit`; for
    `agora`, either one in exchange for an AccessToken2.
    """
    grants = {
        "client_credentials": _by_client,
        "password": _by_password,
        "inherit": _by_app,
        "agora": _by_access_token,
    }
    if body.grant_type not in grants:
        raise Refused(wire.GRANT_TYPE)
    return grants[body.grant_type](request, body)


@router.get("sdk/users/{username}/token/expires", auth=auth.own_user, response=TokenExpiry)
def token_expiry(request: Request, username: str) -> Any:
    """When the token of this request expires."""
    caller = request.auth
    end = auth.credential(request, caller).expires_at
    lifetime = end - caller.now if end is not None else None
    return {"access_token": auth.bearer(request), **_expiry(caller, lifetime)}


def _by_client(request: Request, body: schemas.TokenRequest) -> dict[str, Any]:
    caller = request.auth
    if body.client_id != caller.environment.app_key:
        raise Refused(wire.GRANT_UNKNOWN_CLIENT)
    used = None
    for secret in caller.secrets:
        text = app_secrets.text(secret)
        if hmac.compare_digest(text.encode(), body.client_secret.encode(errors="replace")):
            used = secret
    if used is None:
        raise Refused(wire.GRANT_WRONG_SECRET)
    auth.note_use(request, caller, used)
    return _app_token(caller, used, _requested_lifetime(body))


def _by_password(request: Request, body: schemas.TokenRequest) -> dict[str, Any]:
    caller = request.auth
    user = naming.find(caller.environment, body.username, unknown=wire.GRANT_NO_USER)
    place = f"environment {caller.environment.pk}"
    guess = Guess(place=place, name=user.user_id, address=caller.actor.address)
    admission = guesses.admit(guess, GUESSES, now=caller.now)
    if not passwords.is_correct(user, body.password):
        raise Refused(wire.GRANT_WRONG_PASSWORD)
    guesses.was_right(admission)
    return _user_token(caller, user, _requested_lifetime(body))


def _by_app(request: Request, body: schemas.TokenRequest) -> dict[str, Any]:
    """A user's token on the app's request, which may also register the user."""
    caller = auth.authenticate(request, request.auth)
    if caller.user is not None:
        raise auth.not_permitted(request, caller)
    user = lookup.by_name(caller.environment, body.username)
    if user is None and body.autoCreateUser:
        user = _register(caller, body.username)
    if user is None:
        raise Refused(wire.NO_USER_ENTITY)
    return _user_token(caller, user, _requested_lifetime(body))


def _register(caller: Caller, username: str) -> AppUser:
    users.register_without_password(caller, username)
    # Another call may have registered the user first.
    return naming.find(caller.environment, username.lower())


def _by_access_token(request: Request, body: schemas.TokenRequest) -> dict[str, Any]:
    """The new token expires with the AccessToken2."""
    caller = request.auth
    credential = auth.credential(request, caller)
    if credential.secret is None or credential.expires_at is None:
        raise auth.rejected(request, caller, Failure.MALFORMED)
    lifetime = credential.expires_at - caller.now
    if credential.user is None:
        return _app_token(caller, credential.secret, lifetime)
    return _user_token(caller, credential.user, lifetime)


def _requested_lifetime(body: schemas.TokenRequest) -> timedelta | None:
    """The requested lifetime, or None for no expiry."""
    if body.ttl is None:
        return DEFAULT_LIFETIME
    return timedelta(seconds=body.ttl) if body.ttl else None


def _app_token(caller: Caller, secret: AppSecret, lifetime: timedelta | None) -> dict[str, Any]:
    token = service_token.issue(secret_id=secret.pk, now=caller.now, lifetime=lifetime)
    return {**_body(caller, token, lifetime), "application": str(caller.application_uuid)}


def _user_token(caller: Caller, user: AppUser, lifetime: timedelta | None) -> dict[str, Any]:
    """The lifetime is limited to the environment's token lifetime."""
    if bans.in_force(environment=caller.environment, user_ids=[user.user_id], now=caller.now):
        raise Refused(wire.GRANT_BANNED)
    longest = caller.environment.token_lifetime
    if longest is not None:
        lifetime = min(lifetime, longest) if lifetime is not None else longest
    token = access_tokens.issue(user, now=caller.now, lifetime=lifetime)
    [entity] = entities(caller, [user])
    return {**_body(caller, token, lifetime), "user": entity}


def _body(caller: Caller, token: str, lifetime: timedelta | None) -> dict[str, Any]:
    return {"access_token": token, **_expiry(caller, lifetime)}


def _expiry(caller: Caller, lifetime: timedelta | None) -> dict[str, int]:
    seconds = int(lifetime.total_seconds()) if lifetime is not None else FOREVER
    return {
        "expires_in": seconds,
        "expire_timestamp": milliseconds(caller.now) + 1000 * seconds,
    }
