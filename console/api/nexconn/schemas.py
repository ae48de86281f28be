"""Nexconn's words and bounds. Names are as on the wire; types are strict, "30" is no number."""

from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from console.api import fields


class Body(Schema):
    model_config = ConfigDict(strict=True)


class User(Body):
    userId: fields.UserId


class Users(Body):
    userIds: fields.UserIds


class IssueToken(User):
    name: fields.Name
    avatarUrl: fields.AvatarUrl | None = None


class Token(Schema):
    userId: str
    accessToken: str


class ExpireTokens(Users):
    expiresAt: fields.Milliseconds


class Profile(Schema):
    name: str
    avatarUrl: str
    createdAt: str


class Update(User):
    name: fields.Name | None = None
    avatarUrl: fields.AvatarUrl | None = None


class Status(Schema):
    status: Literal["0", "1"]


class Ban(Users):
    durationMinutes: fields.Minutes


class BanList(Body):
    page: fields.PageNumber | None = None
    pageSize: fields.ListPageSize = 50


class BannedUser(Schema):
    userId: str
    banExpiresAt: str


class BannedUsers(Schema):
    bannedUsers: list[BannedUser]


class ManyUsers(Body):
    userIds: Annotated[
        list[fields.UserId], Field(min_length=1, max_length=fields.MAX_IDS_TO_DEACTIVATE)
    ]


class Operation(Schema):
    operationId: str


class SoftDeletedList(Body):
    page: fields.PageNumber = 1
    pageSize: fields.DeactivatedPageSize = fields.MAX_DEACTIVATED_PAGE


class UserIds(Schema):
    userIds: list[str]


class BlocklistAdd(User):
    targetUserIds: fields.UserIds


class BlocklistRemove(User):
    blockedUserIds: fields.UserIds


class BlocklistGet(User):
    pageToken: str | None = None
    pageSize: fields.ListPageSize = fields.MAX_LIST_PAGE
    order: Literal[0, 1] = 0


class Blocklist(Schema):
    """An empty `pageToken` is the end of the list."""

    pageToken: str
    blockedUserIds: list[str]
