"""RongCloud's words and bounds. Names are as on the wire."""

from collections.abc import Sequence
from typing import Annotated, Literal

from ninja import Schema
from pydantic import BeforeValidator, Field

from console.api import fields
from console.api.rongcloud.wire import Done


def _split(texts: Sequence[str]) -> list[str]:
    """Ids repeated, joined by commas, or both; an id has no comma."""
    return [part for text in texts for part in text.split(",") if part]


JoinedIds = Annotated[
    list[fields.UserId], BeforeValidator(_split), Field(min_length=1, max_length=fields.MAX_IDS)
]
ManyJoinedIds = Annotated[
    list[fields.UserId],
    BeforeValidator(_split),
    Field(min_length=1, max_length=fields.MAX_IDS_TO_DEACTIVATE),
]


class User(Schema):
    userId: fields.UserId


class Users(Schema):
    userId: fields.UserIds


class GetToken(User):
    name: fields.Name
    portraitUri: fields.AvatarUrl | None = None


class Token(Done):
    userId: str
    token: str


class ExpireTokens(Schema):
    userId: JoinedIds
    time: fields.Milliseconds


class Refresh(User):
    name: fields.Name | None = None
    portraitUri: fields.AvatarUrl | None = None


class Info(Done):
    userName: str
    userPortrait: str
    createTime: str


class Online(Done):
    status: Literal["0", "1"]


class Block(Users):
    minute: fields.Minutes


class BlockQuery(Schema):
    page: Annotated[int, Field(ge=0)] = 0
    size: fields.ListPageSize = 50


class BlockedUser(Schema):
    userId: str
    blockEndTime: str


class BlockedUsers(Done):
    users: list[BlockedUser]


class BlacklistChange(User):
    blackUserId: fields.UserIds


class WhitelistChange(User):
    whiteUserId: fields.UserIds


class ListQuery(User):
    pageToken: str = ""
    size: fields.ListPageSize = fields.MAX_LIST_PAGE


class UserIds(Done):
    users: list[str]


class ListPage(UserIds):
    """Without `next`, it is the last page."""

    next: str | None = None


class WhitesettingSet(Users):
    whiteSetting: Literal["0", "1"]


class Whitesetting(Schema):
    userId: str
    whiteSetting: Literal["0", "1"]


class Whitesettings(Done):
    users: list[Whitesetting]


class ManyUsers(Schema):
    userId: ManyJoinedIds


class Operation(Done):
    operateId: str


class DeactivatedQuery(Schema):
    pageNo: fields.PageNumber = 1
    pageSize: fields.DeactivatedPageSize = fields.MAX_DEACTIVATED_PAGE


class UserQuery(Schema):
    page: fields.PageNumber = 1
    pageSize: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["0", "1"] = "0"


class ListedUser(Schema):
    userId: str
    userName: str
    userPortrait: str
    regTime: str


class ListedUsers(Done):
    total: int
    users: list[ListedUser]
