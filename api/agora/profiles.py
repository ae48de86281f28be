"""Agora Chat's calls about user attributes. Their envelope has only data and times."""

from typing import Any, Literal

from ninja import Body, Router

from api.agora import auth, bodies, naming, responses, schemas, wire
from api.agora.auth import Caller, Request
from api.agora.envelope import envelope
from api.agora.wire import Refused
from users import attributes, lookup

router = Router(tags=["User attributes"], exclude_unset=True)
_FORM_BODY = {
    "requestBody": {
        "content": {
            bodies.FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
        }
    }
}


# These two calls alone check for a missing Content-Type before the token.
def _any_user(request: Request) -> Caller:
    _require_some_type(request)
    return auth.any_user(request)


def _own_user(request: Request) -> Caller:
    _require_some_type(request)
    return auth.own_user(request)


def _require_some_type(request: Request) -> None:
    if not request.content_type:
        raise Refused(wire.ATTRIBUTES_MEDIA_TYPE)


def _require_type(request: Request, wanted: str) -> None:
    if request.content_type != wanted:
        raise Refused(wire.ATTRIBUTES_MEDIA_TYPE)


@router.get("metadata/user/capacity", response=responses.Data[int])
def capacity(request: Request) -> Any:
    """The size in bytes of all attributes of the app."""
    return envelope(request, data=attributes.bytes_used(environment=request.auth.environment))


@router.post(
    "metadata/user/get",
    auth=_any_user,
    response=responses.Data[dict[str, dict[str, str]]],
)
def attributes_of_several(request: Request, body: Body[schemas.AttributesQuery]) -> Any:
    """Some attributes of some users; an unknown user has none."""
    _require_type(request, "application/json")
    caller = request.auth
    users = lookup.by_names(caller.environment, body.targets)
    found = attributes.get_many(
        environment=caller.environment, user_ids=[user.user_id for user in users.values()]
    )
    data = {}
    for name in body.targets:
        values = found.get(users[name].user_id, {}) if name in users else {}
        data[name] = {key: values[key] for key in body.properties if key in values}
    return envelope(request, data=data)


@router.get("metadata/user/{username}", auth=auth.any_user, response=responses.Data[dict[str, str]])
def attributes_of_user(request: Request, username: str) -> Any:
    """All attributes of a user; an unknown user has none."""
    user = lookup.by_name(request.auth.environment, username)
    if user is None:
        return envelope(request, data={})
    return envelope(
        request,
        data=attributes.get(environment=request.auth.environment, user_id=user.user_id),
    )


@router.put(
    "metadata/user/{username}",
    auth=_own_user,
    response=responses.Data[dict[str, str]],
    openapi_extra=_FORM_BODY,
)
def set_attributes(request: Request, username: str) -> Any:
    """Set the attributes in the form; an empty value removes one. Returns all of the user's."""
    caller = request.auth
    _require_type(request, bodies.FORM)
    values = bodies.form(request)
    user = naming.find(caller.environment, username)
    after = attributes.merge(
        environment=caller.environment,
        user_id=user.user_id,
        values=values,
        by=caller.actor,
        now=caller.now,
    )
    return envelope(request, data=after)


@router.delete(
    "metadata/user/{username}", auth=auth.own_user, response=responses.Data[Literal[True]]
)
def clear_attributes(request: Request, username: str) -> Any:
    """Remove all attributes of a user. An unknown user is not an error."""
    caller = request.auth
    user = lookup.by_name(caller.environment, username)
    if user is not None:
        attributes.clear(
            environment=caller.environment,
            user_id=user.user_id,
            by=caller.actor,
            now=caller.now,
        )
    return envelope(request, data=True)
