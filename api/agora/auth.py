"""Authentication, permissions and rate limits."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.http import HttpRequest

from api import vendor
from api.agora import credentials, wire
from api.agora.credentials import Credential, TokenRejected
from api.agora.settings import ErrorDialect, settings_of
from api.agora.wire import Failure, Refusal, Refused
from api.ratelimit import Limits
from api.signature import DoorClosed
from applications import app_secrets, callers
from applications.audit import Actor
from applications.models import AppSecret, AuditEvent, Environment
from applications.requests import client_address
from applications.vendors import Limit
from users import lookup
from users.models import AppUser

LIMITS = Limits(
    default=Limit(100),
    by_call={
        "POST token": Limit(300),
        "DELETE users": Limit(30),
        "POST users/batch/status": Limit(50),
        "POST users/<username>/blocks/users": Limit(50),
        "GET users/<username>/blocks/users": Limit(50),
        "DELETE users/<username>/blocks/users/<blocked>": Limit(50),
        "POST sdk/user/<username>/blocks": Limit(50),
        "DELETE sdk/user/<username>/blocks": Limit(50),
        "POST users/<username>/presence/<resource>/<status>": Limit(50),
        "POST users/<username>/presence/<expiry>": Limit(50),
        "POST users/<username>/presence": Limit(50),
        "GET users/<username>/presence/sublist": Limit(50),
        "DELETE users/<username>/presence": Limit(50),
    },
)
# A path may begin with this and the app key instead of org and app names.
BY_APP_ID = "app-id"
_ORG_NAME = re.compile(r"[-\w]{1,40}", re.ASCII)
_APP_ID = re.compile(r"[0-9A-Za-z]{32}", re.ASCII)


@dataclass(frozen=True)
class Caller(vendor.Caller):
    """`user` is the user whose token it is; None for the app's own token."""

    user: AppUser | None = None
    secrets: Sequence[AppSecret] = field(default=(), repr=False)

    @property
    def application_uuid(self) -> UUID:
        """The app's id on the wire, which is a UUID: the app key."""
        return UUID(hex=self.environment.app_key)


class Request(vendor.Request):
    """For type annotations alone."""

    auth: Caller


def segments(request: HttpRequest) -> list[str]:
    return [segment for segment in request.path_info.split("/") if segment]


def is_by_app_id(request: HttpRequest) -> bool:
    return segments(request)[:1] == [BY_APP_ID]


def app(request: Request) -> Caller:
    """Requires an app token."""
    caller = _caller(request)
    if caller.user is not None:
        raise not_permitted(request, caller)
    return _count_call(caller)


def own_user(request: Request) -> Caller:
    """Requires an app token, or the token of the user whom the path names."""
    caller = _caller(request)
    name = request.resolver_match.kwargs["username"]  # type: ignore[union-attr]
    if caller.user is not None and not lookup.is_name_of(name, caller.user):
        raise not_permitted(request, caller)
    return _count_call(caller)


def any_user(request: Request) -> Caller:
    """Requires an app token or the token of any user."""
    return _count_call(_caller(request))


def registrar(request: Request) -> Caller:
    """Requires an app token unless registration is open."""
    caller = _unauthenticated(request)
    is_open = settings_of(caller.environment).open_registration
    if is_open and not bearer(request):
        return _count_call(caller)
    caller = authenticate(request, caller, None if is_open else wire.REGISTRATION_UNAUTHORIZED)
    if caller.user is not None:
        raise not_permitted(request, caller)
    return _count_call(caller)


def anybody(request: Request) -> Caller:
    """Requires nothing: the token call checks the credentials in its body."""
    return _count_call(_unauthenticated(request))


def _count_call(caller: Caller) -> Caller:
    LIMITS.count_call(caller)
    return caller


def _caller(request: Request) -> Caller:
    return authenticate(request, _unauthenticated(request))


def _unauthenticated(request: Request) -> Caller:
    """The app that the path names; the token is not checked. Raises `Refused`, `DoorClosed`."""
    secrets = _secrets(request)
    if not secrets:
        org, app_name, *rest = segments(request)
        raise Refused(wire.NO_APPLICATION, org=org, app=app_name, rest="/".join(rest))
    environment = secrets[0].environment
    request.called = secrets[0]
    if request.call.vendor not in environment.application.vendors:
        raise DoorClosed
    return Caller(
        environment=environment,
        actor=_actor(request, environment.app_key),
        call=request.call,
        secrets=secrets,
    )


def _secrets(request: Request) -> Sequence[AppSecret]:
    """The live secrets of the app; empty if there is no such app."""
    org, app_name = segments(request)[:2]
    if is_by_app_id(request):
        if not _APP_ID.fullmatch(app_name):
            return ()
        return callers.secrets_of_key(app_name, now=request.call.now)
    if not _ORG_NAME.fullmatch(org) or app_name not in Environment.Kind.values:
        return ()
    return callers.secrets_of_name(org, app_name, now=request.call.now)


def _actor(request: Request, name: str) -> Actor:
    return Actor(
        kind=AuditEvent.ActorKind.APP_KEY,
        name=name,
        via=f"{request.call.vendor} {request.call.name}",
        address=client_address(request),
        request_id=request.call.request_id,
    )


def authenticate(
    request: Request, caller: Caller, wording: Mapping[str, Mapping[Failure, Refusal]] | None = None
) -> Caller:
    """The caller, with the user if it is a user's token. Raises `Refused`."""
    user = credential(request, caller, wording).user
    if user is None:
        return caller
    return replace(caller, user=user, actor=_actor(request, f"user {user.user_id}"))


def credential(
    request: Request, caller: Caller, wording: Mapping[str, Mapping[Failure, Refusal]] | None = None
) -> Credential:
    """The credential behind the token. Raises `Refused`."""
    try:
        found = credentials.prove(
            bearer(request),
            environment=caller.environment,
            secrets=caller.secrets,
            now=caller.now,
        )
    except TokenRejected as error:
        raise rejected(request, caller, error.failure, wording) from error
    if found.secret is not None:
        note_use(request, caller, found.secret)
    return found


def note_use(request: Request, caller: Caller, secret: AppSecret) -> None:
    """The caller has proved to hold this secret."""
    request.called, request.is_signed = secret, True
    actor = caller.actor
    app_secrets.note_use(secret, via=actor.via, address=actor.address, now=caller.now)


def rejected(
    request: Request,
    caller: Caller,
    failure: Failure,
    wording: Mapping[str, Mapping[Failure, Refusal]] | None = None,
) -> Refused:
    dialect = settings_of(caller.environment).error_dialect
    refusal = (wording or wire.UNAUTHORIZED)[dialect][failure]
    if "metadata/" not in request.call.name:
        return Refused(refusal)
    if dialect != ErrorDialect.EASEMOB:
        return Refused(wire.with_desc(refusal))
    is_put = request.method == "PUT"
    return Refused(wire.with_desc(refusal, "Unauthorized" if is_put else "unauthorized"))


def not_permitted(request: Request, caller: Caller) -> Refused:
    is_about_attributes = "metadata/" in request.call.name
    return Refused(
        wire.with_desc(wire.NOT_PERMITTED) if is_about_attributes else wire.NOT_PERMITTED,
        verb=(request.method or "").lower(),
        application=caller.application_uuid,
        path="/" + "/".join(segments(request)[2:]),
    )


def bearer(request: HttpRequest) -> str:
    """The token of the Authorization header, or "". Blanks are ignored."""
    scheme, _, token = str(request.META.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else scheme + token
