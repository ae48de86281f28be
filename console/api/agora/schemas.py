"""Agora Chat's words and bounds. Names are as on the wire.

What is wrong with a field leaves as the vendor's own error (`wire`), from the validator that sees
it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from console.api.agora import wire
from console.api.agora.wire import Refusal, Refused
from users import identity
from users.models import NAME_MAX_LENGTH

MAX_TO_REGISTER = 60
MAX_TO_ASK = 100
MAX_TO_IMPORT = 10
MAX_TO_BLOCK = 50
MAX_USERNAME = 64
MAX_PASSWORD = 64  # bytes
MAX_PAGE = 100
DEFAULT_PAGE = 10
MAX_SHORT_PAGE = 50
MAX_MUTE_SECONDS = 2_147_483_647
PERMANENT = -1
MAX_TTL = 100 * 365 * 86_400  # seconds

_USERNAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


def legal_username(value: Any) -> str:
    """As stored: in lower case."""
    if value is None:
        raise Refused(wire.USERNAME_REQUIRED)
    if not isinstance(value, str) or not _USERNAME.fullmatch(value) or value in {".", ".."}:
        raise Refused(wire.NOT_LEGAL, name=str(value)[:MAX_USERNAME])
    if len(value) > MAX_USERNAME:
        raise Refused(wire.USERNAME_TOO_LONG)
    return value.lower()


def _password(value: Any) -> Any:
    if value == "":
        raise Refused(wire.PASSWORD_REQUIRED)
    if isinstance(value, str) and len(value.encode(errors="replace")) > MAX_PASSWORD:
        raise Refused(wire.PASSWORD_TOO_LONG)
    return value


def _new_password(value: Any) -> Any:
    if value is None or value == "":
        raise Refused(wire.NEW_PASSWORD_REQUIRED)
    return _password(value)


def _nickname(value: Any) -> Any:
    if isinstance(value, str) and len(value) > NAME_MAX_LENGTH:
        raise Refused(wire.NICKNAME_TOO_LONG)
    return value


def _registrations(value: Any) -> Any:
    if isinstance(value, list) and len(value) > MAX_TO_REGISTER:
        raise Refused(wire.TOO_MANY_TO_REGISTER, number=len(value), most=MAX_TO_REGISTER)
    if value == []:
        raise Refused(wire.INVALID)
    return value


def _at_most(most: int, refusal: Refusal) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value is None or value == []:
            raise Refused(wire.NOBODY_TO_ASK)
        if isinstance(value, list) and len(value) > most:
            raise Refused(refusal, most=most)
        return value

    return check


def _names(most: int, refusal: Refusal = wire.TOO_MANY_TO_ASK) -> Any:
    return Annotated[list[StrictStr], BeforeValidator(_at_most(most, refusal))]


def _kind(value: Any) -> str:
    return "several" if isinstance(value, list) else "one"


Password = Annotated[StrictStr | None, BeforeValidator(_password)]
NewPassword = Annotated[StrictStr, BeforeValidator(_new_password)]
Nickname = Annotated[StrictStr | None, BeforeValidator(_nickname)]


class NewUser(Schema):
    username: Annotated[str, BeforeValidator(legal_username)] = Field(None, validate_default=True)
    password: Password = None
    nickname: Nickname = None


Registration = Annotated[
    Annotated[NewUser, Tag("one")] | Annotated[list[NewUser], Tag("several")],
    Discriminator(_kind),
    BeforeValidator(_registrations),
]


class ChangePassword(Schema):
    newpassword: Annotated[StrictStr, BeforeValidator(_new_password)] = Field(
        None, validate_default=True
    )
    oldpassword: StrictStr | None = None


class StatusQuery(Schema):
    usernames: _names(MAX_TO_ASK) = Field(None, validate_default=True)  # type: ignore[valid-type]


class Blocked(Schema):
    usernames: _names(MAX_TO_BLOCK) = Field(None, validate_default=True)  # type: ignore[valid-type]


class Imported(Schema):
    usernames: _names(MAX_TO_IMPORT, wire.TOO_MANY_TO_IMPORT) = Field(  # type: ignore[valid-type]
        None, validate_default=True
    )


class AttributesQuery(Schema):
    targets: _names(MAX_TO_ASK, wire.TOO_MANY_ATTRIBUTES) = Field(  # type: ignore[valid-type]
        None, validate_default=True
    )
    properties: list[StrictStr]


class Remark(Schema):
    remark: StrictStr


Seconds = Annotated[StrictInt, Field(ge=PERMANENT, le=MAX_MUTE_SECONDS)]


class Mute(Schema):
    """Seconds; 0 lifts, -1 is for good, and what is not named stays."""

    username: StrictStr = ""
    chat: Seconds | None = None
    groupchat: Seconds | None = None
    chatroom: Seconds | None = None


class RegistrationMode(Schema):
    allow_open_registration: StrictBool


class TokenRequest(Schema):
    """`ttl` in seconds, also as text; 0 is for good."""

    grant_type: str = ""
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    password: str = ""
    autoCreateUser: bool = False
    ttl: Annotated[int, Field(ge=0, le=MAX_TTL)] | None = None


# --- Push settings: a user's own, and kept in the user object under the same names ---------------
def _is_hour(value: Any) -> bool:
    text = str(value)
    return type(value) in {int, str} and (not text or (text.isdecimal() and int(text) < 24))


def _is_short_text(value: Any) -> bool:
    return identity.is_text(value, 512)


_PUSH_SETTINGS: Mapping[re.Pattern[str], Callable[[Any], bool]] = {
    re.compile(pattern, re.ASCII): check
    for pattern, check in (
        ("notification_display_style", lambda value: type(value) is int and value in {0, 1}),
        ("notification_no_disturbing", lambda value: isinstance(value, bool)),
        ("notification_no_disturbing_(start|end)", _is_hour),
        (r"notification_ignore_\w{1,64}", lambda value: isinstance(value, bool)),
        ("device_token|notifier_name", _is_short_text),
    )
}


def push_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the members of a body. Raises `Refused`."""
    found = {}
    for key, value in body.items():
        for pattern, is_valid in _PUSH_SETTINGS.items():
            if pattern.fullmatch(key):
                if not is_valid(value):
                    raise Refused(wire.INVALID)
                found[key] = value
    return found


def nickname(body: Mapping[str, Any]) -> str | None:
    """Raises `Refused`."""
    value = _nickname(body.get("nickname"))
    if value is not None and not isinstance(value, str):
        raise Refused(wire.INVALID)
    return value


def page_size(text: str | None, *, most: int = MAX_PAGE) -> int:
    """What is no number above 0 is the default, what is too large the largest."""
    size = int(text) if text and text.isdecimal() and len(text) < 10 else 0
    return min(size, most) or DEFAULT_PAGE
