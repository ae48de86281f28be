"""What RongCloud and Nexconn share: field types with their bounds, and time formats."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from moderation.models import Mute
from users import identity
from users.friends import MESSAGE_MAX_LENGTH
from users.models import AVATAR_URL_MAX_LENGTH
from users.tags import MAX_TAGS, REMARK_MAX_LENGTH, TAG_MAX_BYTES

# Bounds from the vendors' manuals. Bounds that the domain has too are imported from it.
MAX_IDS = 20
MAX_IDS_TO_DEACTIVATE = 100
MAX_BAN_MINUTES = 43_200
MAX_NAME = 64  # characters
MAX_ALIAS = 64  # characters
MAX_LIST_PAGE = 1_000
MAX_DEACTIVATED_PAGE = 50
MAX_USER_PAGE = 100  # also of profiles, and of friends
MAX_MUTE_PAGE = 200
MAX_REMARK_PAGE = 50
MAX_IDS_TO_TAG = 1_000
MAX_IDS_TO_MUTE = 1_000
MAX_IDS_TO_GET_TAGS = 50
MAX_REMARKS = 100
# The longest list of bans without a page number.
MAX_UNPAGED_BANS = 1_000

_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)


def _max_bytes(most: int) -> Callable[[str], str]:
    """A validator of texts that are bounded in bytes."""

    def check(text: str) -> str:
        if len(text.encode(errors="replace")) > most:
            raise PydanticCustomError("string_too_long", f"Should have at most {most} bytes")
        return text

    return check


def _require_digits(given: Any) -> Any:
    """Python's int() also accepts blanks, a plus sign, underscores and non-ASCII digits."""
    if isinstance(given, str) and not _DIGITS.fullmatch(given):
        raise PydanticCustomError("int_parsing", "Should be a number in plain digits")
    return given


def _read_digits(given: Any) -> Any:
    return int(given) if isinstance(given, str) and _DIGITS.fullmatch(given) else given


# For a strict number that may also be sent as text.
DIGITS_ALLOWED = BeforeValidator(_read_digits)
# A bad id raises the domain's own exception, which names it.
UserId = Annotated[
    str,
    AfterValidator(identity.check_user_id),
    Field(
        description="1 to 64 Latin letters, digits, + = . _ or -",
        json_schema_extra={"pattern": identity.USER_ID_PATTERN},
    ),
]
UserIds = Annotated[list[UserId], Field(min_length=1, max_length=MAX_IDS)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
AvatarUrl = Annotated[
    str,
    AfterValidator(_max_bytes(AVATAR_URL_MAX_LENGTH)),
    Field(description="up to 1,024 bytes", json_schema_extra={"maxLength": AVATAR_URL_MAX_LENGTH}),
]
ManyUserIds = Annotated[list[UserId], Field(min_length=1, max_length=MAX_IDS_TO_DEACTIVATE)]
UserIdsToMute = Annotated[list[UserId], Field(min_length=1, max_length=MAX_IDS_TO_MUTE)]
UserIdsToTag = Annotated[list[UserId], Field(min_length=1, max_length=MAX_IDS_TO_TAG)]
UserIdsToGetTags = Annotated[list[UserId], Field(min_length=1, max_length=MAX_IDS_TO_GET_TAGS)]
# It comes after the bounds: before them, it would keep them out of the OpenAPI document.
PLAIN_DIGITS = BeforeValidator(_require_digits)
Number = Annotated[int, PLAIN_DIGITS]
Minutes = Annotated[int, Field(ge=1, le=MAX_BAN_MINUTES), PLAIN_DIGITS]
# Up to the year 9999.
Milliseconds = Annotated[int, Field(ge=0, le=253_402_300_799_999), PLAIN_DIGITS]
PageNumber = Annotated[int, Field(ge=1), PLAIN_DIGITS]
# 0 means no page number: the whole list up to its bound.
PageNumberOrNone = Annotated[int, Field(ge=0), PLAIN_DIGITS]
ListPageSize = Annotated[int, Field(ge=1, le=MAX_LIST_PAGE), PLAIN_DIGITS]
DeactivatedPageSize = Annotated[int, Field(ge=1, le=MAX_DEACTIVATED_PAGE), PLAIN_DIGITS]
UserPageSize = Annotated[int, Field(ge=1, le=MAX_USER_PAGE), PLAIN_DIGITS]
MutePageSize = Annotated[int, Field(ge=1, le=MAX_MUTE_PAGE), PLAIN_DIGITS]
RemarkPageSize = Annotated[int, Field(ge=1, le=MAX_REMARK_PAGE), PLAIN_DIGITS]
Offset = Annotated[int, Field(ge=0), PLAIN_DIGITS]
# 0 or 1: off or on, or the order of a list (1 reverses it).
Switch = Annotated[int, Field(ge=0, le=1), PLAIN_DIGITS]
# 1 asks the other user if their permission requires it, 2 never asks.
FriendAction = Annotated[int, Field(ge=1, le=2), PLAIN_DIGITS]
# Who may become a friend. 1: anyone, 2: after approval, 3: nobody.
FriendPermissionNumber = Annotated[int, Field(ge=1, le=3), PLAIN_DIGITS]
Tag = Annotated[
    str,
    AfterValidator(_max_bytes(TAG_MAX_BYTES)),
    Field(description="up to 40 bytes", json_schema_extra={"maxLength": TAG_MAX_BYTES}),
]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]
Remark = Annotated[str, Field(max_length=REMARK_MAX_LENGTH)]
Alias = Annotated[str, Field(max_length=MAX_ALIAS)]
FriendMessage = Annotated[str, Field(max_length=MESSAGE_MAX_LENGTH)]

# Both vendors' names of the kinds of conversation.
CHANNELS = {
    "PERSON": Mute.Channel.DIRECT,
    "GROUP": Mute.Channel.GROUP,
    "CHATROOM": Mute.Channel.ROOM,
}
Channel = Literal["PERSON", "GROUP", "CHATROOM"]


def at_least_one(*names: str, label: str) -> Any:
    """A schema validator: at least one of these fields is required. `label` names them in the
    error.
    """

    def check(schema: Any) -> Any:
        if all(getattr(schema, name) in (None, []) for name in names):
            raise PydanticCustomError("missing", "{label} is required", {"label": label})
        return schema

    return model_validator(mode="after")(check)


def format_time(at: datetime) -> str:
    """The vendors' time format: without an offset, in the installation's API_TIME_ZONE."""
    local = at.astimezone(ZoneInfo(settings.API_TIME_ZONE))
    return local.replace(tzinfo=None).isoformat(" ", "seconds")
