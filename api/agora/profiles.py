"""Agora Chat's calls about user attributes. Their envelope has no more than data and times."""

from typing import Any, Literal

from ninja import Body, Router

from api.agora import answers, auth, bodies, naming, schemas, wire
from api.agora.auth import Caller, Request
from api.agora.envelope import envelope
from api.agora.wire import Refused
from users import attributes

router = Router(tags=["User attributes"], exclude_unset=True)
_FORM_BODY = {
    "requestBody": {
        "content": {
            bodies.FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
        }
    }
}


# That no type is named comes before the token, at these two calls alone.
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


@router.get("metadata/user/capacity", response=answers.Data[int])
def capacity(request: Request) -> Any:
    """Bytes that all attributes of the app take."""
    return envelope(request, data=attributes.bytes_used(environment=request.auth.environment))


@router.post(
    "metadata/user/get",
    auth=_any_user,
    response=answers.Data[dict[str, dict[str, str]]],
)
def attributes_of_several(request: Request, body: Body[schemas.AttributesQuery]) -> Any:
    """Some properties of some users; none of an unknown one."""
    _require_type(request, "application/json")
    caller = request.auth
    users = naming.find_several(caller.environment, body.targets)
    found = attributes.of_users(
        environment=caller.environment, user_ids=[user.user_id for user in users.values()]
    )
    data = {}
    for name in body.targets:
        values = found.get(users[name].user_id, {}) if name in users else {}
        data[name] = {key: values[key] for key in body.properties if key in values}
    return envelope(request, data=data)


@router.get("metadata/user/{username}", auth=auth.any_user, response=answers.Data[dict[str, str]])
def attributes_of_user(request: Request, username: str) -> Any:
    """All of a user's attributes; none of an unknown one."""
    user = naming.find_or_none(request.auth.environment, username)
    if user is None:
        return envelope(request, data={})
    return envelope(
        request,
        data=attributes.of_user(environment=request.auth.environment, user_id=user.user_id),
    )


@router.put(
    "metadata/user/{username}",
    auth=_own_user,
    response=answers.Data[dict[str, str]],
    openapi_extra=_FORM_BODY,
)
def set_attributes(request: Request, username: str) -> Any:
    """Set what the form names; an empty value removes. All that the user has then."""
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


@router.delete("metadata/user/{username}", auth=auth.own_user, response=answers.Data[Literal[True]])
def clear_attributes(request: Request, username: str) -> Any:
    """Having none, or being unknown, is no error."""
    caller = request.auth
    user = naming.find_or_none(caller.environment, username)
    if user is not None:
        attributes.clear(
            environment=caller.environment,
            user_id=user.user_id,
            by=caller.actor,
            now=caller.now,
        )
    return envelope(request, data=True)
