"""Who calls, what they may do, and how often.

A token in `Authorization: Bearer` stands for the app or for one of its users. There are three
kinds: AccessToken2, which the app signs with its secret; ours for apps (`service_token`); and ours
for users (`users.tokens`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest

from applications import environments
from applications.audit import Actor, client_address
from applications.models import AppSecret, AuditEvent, Environment
from console.api import vendor
from console.api.agora import access_token, naming, service_token, wire
from console.api.agora.wire import Failure, Refusal, Refused
from console.api.ratelimit import Limit, Limits
from console.api.signature import DoorClosed
from moderation import bans
from users import tokens
from users.models import AppUser

LIMITS = Limits(
    common=Limit(100),
    special={
        "POST token": Limit(300),
        "DELETE users": Limit(30),
        "POST users/batch/status": Limit(50),
        "POST users/<username>/blocks/users": Limit(50),
        "GET users/<username>/blocks/users": Limit(50),
        "DELETE users/<username>/blocks/users/<blocked>": Limit(50),
    },
)
# In place of org and app names, an app may be called by its key.
BY_APP_ID = "app-id"
_ORG_NAME = re.compile(r"[-\w]{1,40}", re.ASCII)
_APP_ID = re.compile(r"[0-9A-Za-z]{32}", re.ASCII)


class TokenRejected(Exception):
    def __init__(self, failure: Failure):
        self.failure = failure
        super().__init__(failure.value)


@dataclass(frozen=True)
class Credential:
    """What a token proved: the app, by one of its secrets, or one user."""

    expires_at: datetime | None
    secret: AppSecret | None = None
    user: AppUser | None = None


@dataclass(frozen=True)
class Caller(vendor.Caller):
    """`user` is whom the token stands for; None: the app's server."""

    user: AppUser | None = None
    secrets: Sequence[AppSecret] = field(default=(), repr=False)

    @property
    def application_uuid(self) -> UUID:
        """The app's internal name, on the wire a UUID, as an app key is one."""
        return UUID(hex=self.environment.app_key)


class Request(vendor.Request):
    """For annotations alone."""

    auth: Caller


def segments(request: HttpRequest) -> list[str]:
    return [segment for segment in request.path_info.split("/") if segment]


def is_by_app_id(request: HttpRequest) -> bool:
    return segments(request)[:1] == [BY_APP_ID]


def app(request: Request) -> Caller:
    """An app token alone."""
    caller = _caller(request)
    if caller.user is not None:
        raise not_permitted(request, caller)
    return _within_rate(caller)


def own_user(request: Request) -> Caller:
    """An app token, or the token of the user whom the path names."""
    caller = _caller(request)
    name = request.resolver_match.kwargs["username"]  # type: ignore[union-attr]
    if caller.user is not None and not naming.names(name, caller.user):
        raise not_permitted(request, caller)
    return _within_rate(caller)


def any_user(request: Request) -> Caller:
    """An app token, or the token of any user."""
    return _within_rate(_caller(request))


def registrar(request: Request) -> Caller:
    """An app token, or nobody while registration is open."""
    caller = _unknown_caller(request)
    if caller.environment.open_registration and not bearer(request):
        return _within_rate(caller)
    caller = proved(request, caller, wire.REGISTRATION_UNAUTHORIZED)
    if caller.user is not None:
        raise not_permitted(request, caller)
    return _within_rate(caller)


def anybody(request: Request) -> Caller:
    """Whoever asks for a token; the call itself looks at what they show."""
    return _within_rate(_unknown_caller(request))


def _within_rate(caller: Caller) -> Caller:
    LIMITS.count_call(caller)
    return caller


def _caller(request: Request) -> Caller:
    return proved(request, _unknown_caller(request))


def _unknown_caller(request: Request) -> Caller:
    """The app that the path names. Raises `Refused`, `DoorClosed`."""
    secrets = _secrets(request)
    if not secrets:
        org, app_name, *rest = segments(request)
        raise Refused(wire.NO_APPLICATION, org=org, app=app_name, rest="/".join(rest))
    environment = secrets[0].environment
    if request.call.vendor not in environment.application.open_doors:
        raise DoorClosed
    return Caller(
        environment=environment,
        actor=_actor(request, environment.app_key),
        call=request.call,
        secrets=secrets,
    )


def _secrets(request: Request) -> list[AppSecret]:
    """The live secrets of the app; each has at least one."""
    org, app_name = segments(request)[:2]
    if is_by_app_id(request):
        if not _APP_ID.fullmatch(app_name):
            return []
        return list(AppSecret.objects.for_app_key(app_name))
    if not _ORG_NAME.fullmatch(org) or app_name not in Environment.Kind.values:
        return []
    return list(
        AppSecret.objects.live()
        .filter(environment__application__org_name=org, environment__kind=app_name)
        .select_related("environment__application")
        .order_by("pk")
    )


def _actor(request: Request, name: str) -> Actor:
    return Actor(
        kind=AuditEvent.ActorKind.APP_KEY,
        name=name,
        via=f"{request.call.vendor} {request.call.name}",
        address=client_address(request),
        request_id=request.call.request_id,
    )


def proved(
    request: Request, caller: Caller, wording: Mapping[str, Mapping[Failure, Refusal]] | None = None
) -> Caller:
    """The caller, as the token proves them. Raises `Refused`."""
    user = credential(request, caller, wording).user
    if user is None:
        return caller
    return replace(caller, user=user, actor=_actor(request, f"user {user.user_id}"))


def credential(
    request: Request, caller: Caller, wording: Mapping[str, Mapping[Failure, Refusal]] | None = None
) -> Credential:
    """What the token proves. Raises `Refused`."""
    try:
        return _prove(bearer(request), caller)
    except TokenRejected as error:
        raise rejected(request, caller, error.failure, wording) from error


def rejected(
    request: Request,
    caller: Caller,
    failure: Failure,
    wording: Mapping[str, Mapping[Failure, Refusal]] | None = None,
) -> Refused:
    refusal = (wording or wire.UNAUTHORIZED)[caller.environment.error_dialect][failure]
    return Refused(_described(request, refusal))


def not_permitted(request: Request, caller: Caller) -> Refused:
    return Refused(
        _described(request, wire.NOT_PERMITTED),
        verb=(request.method or "").lower(),
        application=caller.application_uuid,
        path="/" + "/".join(segments(request)[2:]),
    )


def _described(request: Request, refusal: Refusal) -> Refusal:
    return wire.with_desc(refusal) if "metadata/" in request.call.name else refusal


def bearer(request: HttpRequest) -> str:
    """The token shown; "" when there is none. Blanks do not matter."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else scheme + token


def _prove(token: str, caller: Caller) -> Credential:
    """What the token stands for. Raises `TokenRejected`."""
    if not token:
        raise TokenRejected(Failure.MISSING)
    if token.startswith(access_token.PREFIX):
        found = _by_access_token(token, caller)
    elif token.startswith(service_token.PREFIX):
        found = _by_service_token(token, caller)
    else:
        found = _by_users_token(token, caller)
    if found.secret is not None:
        environments.secret_used(found.secret, now=caller.now)
    if found.user is not None:
        _require_activated(caller, found.user)
    return found


def _by_access_token(token: str, caller: Caller) -> Credential:
    now = caller.now
    try:
        found = access_token.parse(token)
    except access_token.MalformedToken:
        raise TokenRejected(Failure.MALFORMED) from None
    if found.app_id != caller.environment.app_key:
        raise TokenRejected(Failure.OTHER_APP)
    used = None
    for secret in caller.secrets:
        if found.is_signed_with(environments.secret_text(secret)):
            used = secret
    if used is None or found.grant is None or found.issued_at > now + access_token.MAX_SKEW:
        raise TokenRejected(Failure.NOT_OURS)
    grant = found.grant
    if now >= grant.expires_at:
        raise TokenRejected(Failure.EXPIRED)
    if not grant.user_id:
        return Credential(grant.expires_at, secret=used)
    user = naming.find_or_none(caller.environment, grant.user_id)
    if user is None:
        raise TokenRejected(Failure.NOT_OURS)
    # Its issue time is whole seconds: what was issued in the second of a revocation lives.
    for valid_from in (user.tokens_valid_from, caller.environment.tokens_valid_from):
        if valid_from is not None and found.issued_at + timedelta(seconds=1) <= valid_from:
            raise TokenRejected(Failure.EXPIRED)
    return Credential(grant.expires_at, secret=used, user=user)


def _by_service_token(token: str, caller: Caller) -> Credential:
    try:
        found = service_token.parse(token)
    except service_token.ForeignToken:
        raise TokenRejected(Failure.MALFORMED) from None
    if found.expires_at is not None and caller.now >= found.expires_at:
        raise TokenRejected(Failure.EXPIRED)
    valid_from = caller.environment.tokens_valid_from
    if valid_from is not None and found.issued_at < valid_from:
        raise TokenRejected(Failure.EXPIRED)
    for secret in caller.secrets:
        if secret.pk == found.secret_id:
            return Credential(found.expires_at, secret=secret)
    raise TokenRejected(Failure.OTHER_APP)


def _by_users_token(token: str, caller: Caller) -> Credential:
    try:
        user = tokens.authenticate(environment=caller.environment, token=token, now=caller.now)
    except tokens.TokenUnknown:
        raise TokenRejected(Failure.MALFORMED) from None
    except tokens.TokenRefused:
        raise TokenRejected(Failure.EXPIRED) from None
    return Credential(None, user=user)


def _require_activated(caller: Caller, user: AppUser) -> None:
    if bans.in_force(environment=caller.environment, user_ids=[user.user_id], now=caller.now):
        raise TokenRejected(Failure.NOT_OURS)
