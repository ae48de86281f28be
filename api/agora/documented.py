"""What Agora Chat's OpenAPI document says beyond the calls themselves: above all, what each call
may be refused with.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ninja import Schema

from api.agora import wire
from api.agora.settings import ErrorDialect
from api.agora.wire import Failure, Refusal
from api.vendor import Documented, ErrorAnswer


class Error(Schema):
    """A refusal. Some say which exception it was; those about attributes repeat the text."""

    error: str
    error_description: str
    timestamp: int
    duration: int
    exception: str = ""
    desc: str = ""


Meanings = Mapping[Refusal, str]
_UNAUTHORIZED = wire.UNAUTHORIZED[ErrorDialect.AGORA]
_ANY_CALL: Meanings = {
    wire.NO_APPLICATION: "no such application.",
    _UNAUTHORIZED[Failure.MISSING]: "the token is missing, has expired, or is not for this.",
    _UNAUTHORIZED[Failure.NOT_OURS]: "the token is not one of this application's.",
    wire.DISABLED: "the application's owners have closed this door.",
    wire.WRONG_METHOD: "the path takes another method.",
    wire.TOO_LARGE: "the body is too large.",
    wire.TOO_OFTEN: "more of this call than a second allows.",
    wire.INTERNAL: "something broke here; the log knows what.",
    wire.UNAVAILABLE: "the database cannot be reached just now.",
}
_USER: Meanings = {wire.NO_USER: "no such user."}
_MEANWHILE: Meanings = {wire.NO_USER: "the user has been deleted meanwhile."}
_MUTED_USER: Meanings = {wire.NO_USER_TO_MUTE: "no such user."}
_PARAMETERS: Meanings = {wire.INVALID: "a parameter is wrong, or a cursor not one of this list."}
_BODY: Meanings = {
    wire.NOT_JSON: "the body is no JSON.",
    wire.INVALID: "a member is missing, wrong, too long or too many: the text says so.",
    wire.MEDIA_TYPE: "the body is declared as what the call does not take.",
}
_PLACES: Meanings = {
    wire.DISABLED: "the door is closed, or the user was deactivated.",
    wire.NO_PLACE: "no place is free: the text says how to free some.",
}
_REGISTRATION: Meanings = {
    wire.TAKEN: "the name is taken, or named twice with different passwords.",
    **_PLACES,
}
_DELETION: Meanings = {wire.FORBIDDEN: "in production, while no owner has unlocked deletion."}
_CONTACT: Meanings = {**_USER, wire.INVALID: "nobody is their own contact."}
_CONTACTS_FULL: Meanings = {wire.INVITER_FULL: "one of the two has as many as there may be."}
_REFUSED_CONTACT: Meanings = {wire.FORBIDDEN: "the other lets nobody become a contact."}
_BLOCKING: Sequence[Meanings] = (
    _USER,
    _BODY,
    {wire.LIST_FULL: "more than 500 on the list."},
)
_CONTACTS: Sequence[Meanings] = (_USER, _PARAMETERS)
_REMARK: Sequence[Meanings] = (_USER, _BODY)
_PASSWORD: Sequence[Meanings] = (
    _BODY,
    {
        wire.GRANT_WRONG_PASSWORD: "the old password is wrong.",
        wire.NO_USER_ENTITY: "no such user.",
    },
    _MEANWHILE,
)
_OWN: Mapping[str, Sequence[Meanings]] = {
    "PUT": (_BODY,),
    "POST token": (
        _BODY,
        {
            wire.GRANT_TYPE: "no such way to prove oneself.",
            wire.GRANT_WRONG_PASSWORD: "client, secret or password is wrong, or the user banned.",
            wire.GRANT_NO_USER: "no such user, to prove by password.",
            wire.NO_USER_ENTITY: "no such user, to vouch for.",
        },
        _MEANWHILE,
        _PLACES,
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
        {wire.TOO_MANY_SUBSCRIPTIONS: "more users than one may hear of."},
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
            wire.WRONG_ATTRIBUTE: "a name or value is none that can be kept.",
            wire.INVALID: "the form cannot be read.",
            wire.ATTRIBUTES_TOO_LARGE: "more than 2 KB for this user.",
            wire.MEDIA_TYPE: "the body is declared as what the call does not take.",
        },
    ),
    "DELETE metadata/user/<username>": (),
}


def _errors(call_name: str) -> Sequence[ErrorAnswer]:
    """One line for each pair of status and code; the call's own meaning of it, where it has one."""
    said: dict[tuple[int, str], str] = {}
    for meanings in (_ANY_CALL, *_OWN[call_name]):
        said |= {(refusal.status, refusal.error): text for refusal, text in meanings.items()}
    return [ErrorAnswer(status, code, meaning) for (status, code), meaning in said.items()]


_SCHEMES: dict[str, dict[str, Any]] = {
    "Token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An AccessToken2, or one of POST token: of the app, or of a user for "
        "what is the user's own. To ask for a token, or register where that is open, needs none.",
    }
}

DOCUMENTED = Documented(
    description="JSON in, JSON in an envelope out. Every path begins with the application's org "
    "name and the environment's kind, or with app-id and the app key.",
    schemes=_SCHEMES,
    alternatives=(("Token",), ()),
    error=Error,
    error_code="error",
    errors=_errors,
    base="/{org_name}/{app_name}",
    examples={"org_name": "chirp", "app_name": "development"},
)
