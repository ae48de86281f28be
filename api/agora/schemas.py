"""Agora Chat's requests with their bounds. Names are as on the wire.

The validators raise the vendor's own error (`wire`) for a wrong field.
"""

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from api.agora import wire
from api.agora.wire import Refusal, Refused
from users import statuses
from users.friends import ALIAS_MAX_LENGTH, MESSAGE_MAX_LENGTH
from users.models import NAME_MAX_LENGTH

MAX_TO_REGISTER = 60
MAX_NAMES = 100
MAX_TO_IMPORT = 10
MAX_TO_BLOCK = 50
MAX_USERNAME = 64
MAX_PASSWORD = 64  # bytes
MAX_MUTE_SECONDS = 2_147_483_647
PERMANENT = -1
MAX_TTL = 100 * 365 * 86_400  # seconds

_USERNAME = r"^[A-Za-z0-9_.-]+$"


def legal_username(value: Any) -> str:
    """The name in lower case, as it is stored. Raises `Refused`."""
    if value is None:
        raise Refused(wire.USERNAME_REQUIRED)
    if not isinstance(value, str) or not re.fullmatch(_USERNAME, value) or value in {".", ".."}:
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


def _remark(value: Any) -> Any:
    if isinstance(value, str) and len(value) > ALIAS_MAX_LENGTH:
        raise Refused(wire.REMARK_TOO_LONG, most=ALIAS_MAX_LENGTH)
    return value


def _present(value: Any) -> Any:
    if value is None or value == "":
        raise Refused(wire.BLANK_USERNAME)
    return value


def _check_number_to_register(value: Any) -> Any:
    if isinstance(value, list) and len(value) > MAX_TO_REGISTER:
        raise Refused(wire.TOO_MANY_TO_REGISTER, number=len(value), most=MAX_TO_REGISTER)
    if value == []:
        raise Refused(wire.INVALID)
    return value


def _number(
    most: int, refusal: Refusal = wire.TOO_MANY_NAMES, *, none: Refusal = wire.NO_NAMES
) -> BeforeValidator:
    """A validator that refuses an empty list, and more than `most` items."""

    def check(value: Any) -> Any:
        if value is None or value == []:
            raise Refused(none)
        if isinstance(value, list) and len(value) > most:
            raise Refused(refusal, most=most)
        return value

    return BeforeValidator(check)


def _requires(*names: str) -> ConfigDict:
    """Marks members as required in the document. Their validators refuse None themselves."""
    return ConfigDict(json_schema_extra={"required": list(names)})


def _kind(value: Any) -> str:
    return "several" if isinstance(value, list) else "one"


Username = Annotated[
    str, Field(max_length=MAX_USERNAME, pattern=_USERNAME), BeforeValidator(legal_username)
]
Password = Annotated[StrictStr, Field(max_length=MAX_PASSWORD), BeforeValidator(_password)]
NewPassword = Annotated[StrictStr, Field(max_length=MAX_PASSWORD), BeforeValidator(_new_password)]
Nickname = Annotated[StrictStr, Field(max_length=NAME_MAX_LENGTH), BeforeValidator(_nickname)]
Names = Annotated[list[StrictStr], Field(min_length=1)]
SeveralNames = Annotated[Names, Field(max_length=MAX_NAMES), _number(MAX_NAMES)]
NamesToBlock = Annotated[Names, Field(max_length=MAX_TO_BLOCK), _number(MAX_TO_BLOCK)]
NamesToImport = Annotated[
    Names, Field(max_length=MAX_TO_IMPORT), _number(MAX_TO_IMPORT, wire.TOO_MANY_TO_IMPORT)
]
NamesToDescribe = Annotated[
    Names, Field(max_length=MAX_NAMES), _number(MAX_NAMES, wire.TOO_MANY_ATTRIBUTES)
]
NamesToCheck = Annotated[
    Names,
    Field(max_length=MAX_NAMES),
    _number(MAX_NAMES, wire.NUMBER_TO_CHECK, none=wire.NUMBER_TO_CHECK),
]
# The validator gets None if the member is not sent, and refuses it.
_MISSING: Any = Field(None, validate_default=True)


# A query parameter; without a value it counts as not sent.
Flag = Annotated[bool, BeforeValidator(lambda value: False if value == "" else value)]


class Body(BaseModel):
    """A body, or a part of one. What is not an object has no members."""

    @model_validator(mode="before")
    @classmethod
    def _members(cls, given: Any) -> Any:
        return given if isinstance(given, dict) else {}


class NewUser(Body):
    model_config = _requires("username")
    username: Username = _MISSING
    password: Password | None = None
    nickname: Nickname | None = None


Registration = Annotated[
    Annotated[NewUser, Tag("one")]
    | Annotated[list[NewUser], Field(min_length=1, max_length=MAX_TO_REGISTER), Tag("several")],
    Discriminator(_kind),
    BeforeValidator(_check_number_to_register),
]


class ChangePassword(Body):
    model_config = _requires("newpassword")
    newpassword: NewPassword = _MISSING
    oldpassword: StrictStr | None = None


class StatusQuery(Body):
    model_config = _requires("usernames")
    usernames: SeveralNames = _MISSING


class BlockUsers(Body):
    model_config = _requires("usernames")
    usernames: NamesToBlock = _MISSING


class ImportContacts(Body):
    model_config = _requires("usernames")
    usernames: NamesToImport = _MISSING


class AttributesQuery(Body):
    model_config = _requires("targets", "properties")
    targets: NamesToDescribe = _MISSING
    properties: list[StrictStr]


class CheckList(Body):
    """A user, and the names to check against their list."""

    model_config = _requires("username", "check_list")
    username: Annotated[StrictStr, BeforeValidator(_present)] = _MISSING
    check_list: NamesToCheck = _MISSING


class Remark(Body):
    remark: Annotated[StrictStr, Field(max_length=ALIAS_MAX_LENGTH), BeforeValidator(_remark)]


Seconds = Annotated[StrictInt, Field(ge=PERMANENT, le=MAX_MUTE_SECONDS)]


class ContactRequest(Body):
    """One user, in a list because clients send one."""

    model_config = _requires("usernames")
    usernames: Annotated[Names, Field(max_length=1), _number(1)] = _MISSING
    reason: Annotated[str, Field(max_length=MESSAGE_MAX_LENGTH)] = ""


class ShownStatus(Body):
    ext: Annotated[str, Field(max_length=statuses.TEXT_MAX_BYTES)] = ""


class Mute(Body):
    """Seconds; 0 lifts the mute, -1 sets no end, and what is not sent stays."""

    username: StrictStr = ""
    chat: Seconds | None = None
    groupchat: Seconds | None = None
    chatroom: Seconds | None = None


class RegistrationMode(Body):
    allow_open_registration: StrictBool


class TokenRequest(Body):
    """`ttl` in seconds, also as text; 0 means no expiry."""

    grant_type: str = ""
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    password: str = ""
    autoCreateUser: bool = False
    ttl: Annotated[int, Field(ge=0, le=MAX_TTL)] | None = None
