"""Agora Chat's calls about user attributes. Their envelope has no more than data and times."""

from typing import Any, Literal
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest
from ninja import Body, Router

from api.agora import answers, auth, naming, schemas, wire
from api.agora.auth import Request
from api.agora.envelope import envelope
from api.agora.wire import Refused
from users import attributes

router = Router(tags=["User attributes"], exclude_unset=True)
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_FORM_BODY = {
    "requestBody": {
        "content": {
            _FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
        }
    }
}


@router.get("metadata/user/capacity", response=answers.Data[int])
def capacity(request: Request) -> Any:
    """Bytes that all attributes of the app take."""
    return envelope(request, data=attributes.bytes_used(environment=request.auth.environment))


@router.post(
    "metadata/user/get",
    auth=auth.any_user,
    response=answers.Data[dict[str, dict[str, str]]],
)
def attributes_of_several(request: Request, body: Body[schemas.AttributesQuery]) -> Any:
    """Some properties of some users; none of an unknown one."""
    _require_type(request, _JSON)
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
    auth=auth.own_user,
    response=answers.Data[dict[str, str]],
    openapi_extra=_FORM_BODY,
)
def set_attributes(request: Request, username: str) -> Any:
    """Set what the form names; an empty value removes. All that the user has then."""
    caller = request.auth
    _require_type(request, _FORM)
    values = _form(request)
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


def _require_type(request: HttpRequest, wanted: str) -> None:
    if request.content_type != wanted:
        raise Refused(wire.ATTRIBUTES_MEDIA_TYPE)


def _form(request: HttpRequest) -> dict[str, str]:
    try:
        return dict(
            parse_qsl(
                request.body.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
            )
        )
    except ValueError:
        raise Refused(wire.INVALID) from None
