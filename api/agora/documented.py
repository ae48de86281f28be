"""What Ninja cannot add to Agora Chat's OpenAPI document: mainly the refusals of each call."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.agora import wire
from api.agora.settings import ErrorDialect
from api.agora.wire import Failure, Refusal
from api.vendor import Documented, ErrorAnswer


class Error(BaseModel):
    """A refusal. Some have `exception`. Those about attributes repeat the text in `desc`."""

    error: str
    error_description: str
    timestamp: int
    duration: int
    exception: str = ""
    desc: str = ""
    # If the quota is full: `limit`, `used`, and `candidates` to delete.
    quota: dict[str, Any] = {}


Meanings = Mapping[Refusal, str]
_UNAUTHORIZED = wire.UNAUTHORIZED[ErrorDialect.AGORA]
_ANY_CALL: Meanings = {
    wire.NO_APPLICATION: "no such application.",
    _UNAUTHORIZED[
        Failure.MISSING
    ]: "the token is missing, has expired, or does not allow this call.",
    _UNAUTHORIZED[Failure.NOT_OURS]: "the token does not belong to this application.",
    wire.DISABLED: "the application's owners have switched this API off.",
    wire.WRONG_METHOD: "the path exists, but not with this method.",
    wire.TOO_LARGE: "the body is too large.",
    wire.TOO_OFTEN: "the rate limit of this call is exceeded.",
    wire.INTERNAL: "an internal error. The server's log has the details.",
    wire.UNAVAILABLE: "the database cannot be reached.",
}
_USER: Meanings = {wire.NO_USER: "no such user."}
_DELETED_USER: Meanings = {wire.NO_USER: "the user was deleted during the call."}
_MUTED_USER: Meanings = {wire.NO_USER_TO_MUTE: "no such user."}
_PARAMETERS: Meanings = {
    wire.INVALID: "a parameter is wrong, or the cursor does not belong to this list."
}
_BODY: Meanings = {
    wire.NOT_JSON: "the body is not JSON.",
    wire.INVALID: "a member is missing, wrong or too long, or has too many items. The text says "
    "which.",
    wire.MEDIA_TYPE: "the call does not take this Content-Type.",
}
_QUOTA: Meanings = {
    wire.DISABLED: "this API is switched off, or the user was deactivated.",
    wire.QUOTA_EXCEEDED: "the quota is full. The text says how to free places.",
}
_REGISTRATION: Meanings = {
    wire.TAKEN: "the name is taken, or is in the batch twice with different passwords.",
    **_QUOTA,
}
_DELETION: Meanings = {wire.FORBIDDEN: "in production, unless an owner has unlocked deletion."}
_CONTACT: Meanings = {**_USER, wire.INVALID: "users cannot be their own contacts."}
_CONTACTS_FULL: Meanings = {
    wire.INVITER_FULL: "one of the two users has the maximum number of contacts."
}
_REFUSED_CONTACT: Meanings = {wire.FORBIDDEN: "the other user does not accept contacts."}
_BLOCKING: Sequence[Meanings] = (
    _USER,
    _BODY,
    {wire.LIST_FULL: "more than 500 entries on the list."},
)
_CONTACTS: Sequence[Meanings] = (_USER, _PARAMETERS)
_REMARK: Sequence[Meanings] = (_USER, _BODY)
_PASSWORD: Sequence[Meanings] = (
    _BODY,
    {
        wire.GRANT_WRONG_PASSWORD: "the old password is wrong.",
        wire.NO_USER_ENTITY: "no such user.",
    },
    _DELETED_USER,
)
_BY_CALL: Mapping[str, Sequence[Meanings]] = {
    "PUT": (_BODY,),
    "POST token": (
        _BODY,
        {
            wire.GRANT_TYPE: "no such grant type.",
            wire.GRANT_WRONG_PASSWORD: "client, secret or password is wrong, or user is banned.",
            wire.GRANT_NO_USER: "no such user, with `password`.",
            wire.NO_USER_ENTITY: "no such user, with `inherit`.",
        },
        _DELETED_USER,
        _QUOTA,
    ),
    "POST users": (_BODY, _REGISTRATION),
    "GET users": (_PARAMETERS,),
    "DELETE users": (_PARAMETERS, _DELETION),
    "GET users/<username>": (_USER,),
    "PUT users/<username>": (_USER, _BODY),
    "DELETE users/<username>": (_USER, _DELETION),
    "PUT users/<username>/password": _PASSWORD,
    "POST users/<username>/password": _PASSWORD,
    "POST users/<username>/deactivate": (_USER,),
    "POST users/<username>/activate": (_USER,),
    "POST users/<username>/blocks/users": _BLOCKING,
    "GET users/<username>/blocks/users": (_USER, _PARAMETERS),
    "DELETE users/<username>/blocks/users/<blocked>": (_USER,),
    "POST sdk/user/<username>/blocks": _BLOCKING,
    "DELETE sdk/user/<username>/blocks": (_USER, _BODY),
    "POST blocks/check": (_BODY,),
    "POST mutes": (_BODY, _MUTED_USER),
    "GET mutes": (_PARAMETERS,),
    "GET mutes/<username>": (_MUTED_USER,),
    "POST users/<username>/contacts/users/<friend>": (_CONTACT, _CONTACTS_FULL, _REFUSED_CONTACT),
    "POST users/<username>/contacts/apply": (_BODY, _CONTACT, _CONTACTS_FULL, _REFUSED_CONTACT),
    "POST users/<username>/contacts/accept/users/<friend>": (_USER, _CONTACTS_FULL),
    "POST users/<username>/contacts/decline/users/<friend>": (_USER, _CONTACTS_FULL),
    "DELETE users/<username>/contacts/users/<friend>": (_CONTACT,),
    "GET users/<username>/contacts/users": _CONTACTS,
    "GET users/<username>/contacts": _CONTACTS,
    "GET user/<username>/contacts": _CONTACTS,
    "PUT users/<username>/contacts/users/<friend>": _REMARK,
    "PUT user/<username>/contacts/users/<friend>": _REMARK,
    "POST users/<username>/contacts/import": (_USER, _BODY),
    "POST contacts/check": (_BODY,),
    "GET sdk/users/<username>/token/expires": (_USER,),
    "POST users/<username>/presence/<resource>/<status>": (_USER, _BODY),
    "POST users/<username>/presence/<expiry>": (
        _USER,
        _BODY,
        {wire.TOO_MANY_SUBSCRIPTIONS: "the user has the maximum number of subscriptions."},
    ),
    "POST users/<username>/presence": (_USER, _BODY),
    "GET users/<username>/presence/sublist": (_USER, _PARAMETERS),
    "DELETE users/<username>/presence": (_USER, _BODY),
    "POST users/batch/status": (_BODY,),
    "GET users/<username>/status": (_USER,),
    "GET users/<username>/disconnect": (_USER,),
    "POST users/<username>/disconnect": (_USER,),
    "GET users/<username>/resources": (_USER,),
    "GET users/<username>/disconnect/<resource>": (_USER,),
    "DELETE users/<username>/disconnect/<resource>": (_USER,),
    "GET users/<username>/offline_msg_count": (_USER,),
    "GET users/<username>/offline_msg_status/<message>": (_USER,),
    "GET metadata/user/capacity": (),
    "POST metadata/user/get": (_BODY, {wire.TOO_MANY_ATTRIBUTES: "more than 100 users."}),
    "GET metadata/user/<username>": (),
    "PUT metadata/user/<username>": (
        _USER,
        {
            wire.WRONG_ATTRIBUTE: "a name or value cannot be stored.",
            wire.INVALID: "the form cannot be read.",
            wire.ATTRIBUTES_TOO_LARGE: "more than 2 KB for this user.",
            wire.MEDIA_TYPE: "the call does not take this Content-Type.",
        },
    ),
    "DELETE metadata/user/<username>": (),
}


def _errors(call_name: str) -> Sequence[ErrorAnswer]:
    """One for each pair of status and code. The call's own meaning overrides the general one."""
    by_code: dict[tuple[int, str], str] = {}
    for meanings in (_ANY_CALL, *_BY_CALL[call_name]):
        by_code |= {(refusal.status, refusal.error): text for refusal, text in meanings.items()}
    return [ErrorAnswer(status, code, meaning) for (status, code), meaning in by_code.items()]


_SCHEMES: dict[str, dict[str, Any]] = {
    "Token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An AccessToken2, or a token from `POST token`. A user's token gives access "
        "to that user's own data. `POST token` needs none, nor does registration if it is open.",
    }
}

DOCUMENTED = Documented(
    description="Requests are JSON; responses are JSON in an envelope. Every path begins with the "
    "application's org name and the environment's kind, or with app-id and the app key.",
    schemes=_SCHEMES,
    alternatives=(("Token",), ()),
    error=Error,
    registers=("POST users", "POST token"),
    error_code="error",
    errors=_errors,
    base="/{org_name}/{app_name}",
    examples={"org_name": "chirp", "app_name": "development"},
)
