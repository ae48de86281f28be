"""Nexconn's words and bounds. Names are as on the wire; types are strict, "30" is no number."""

from typing import Annotated, Any, Literal, Self

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api import fields


def _number(given: Any) -> Any:
    """A number, where digits in a text are one as well."""
    return int(given) if isinstance(given, str) and given.isascii() and given.isdigit() else given


def _channel(given: Any) -> Any:
    """The manual's example has a number for it."""
    return "PERSON" if given == 1 and not isinstance(given, bool) else given


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
    page: fields.PageNumberOrNone | None = None
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


# --- Hosted profiles ---------------------------------------------------------------------------


class ProfileSet(User):
    """At least one of the two."""

    userProfile: dict[str, Any] | None = None
    userExtProfile: dict[str, str] | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.userProfile is None and self.userExtProfile is None:
            raise PydanticCustomError("missing", "userProfile or userExtProfile is required")
        return self


class ProfileList(Body):
    page: fields.PageNumber = 1
    pageSize: fields.UserPageSize = 20
    order: Literal[0, 1] = 0


class HostedProfile(Schema):
    """An empty half is left out."""

    userId: str
    version: int
    userProfile: dict[str, Any] | None = None
    userExtProfile: dict[str, str] | None = None


class HostedProfiles(Schema):
    users: list[HostedProfile]


# --- Friends -----------------------------------------------------------------------------------


class FriendAdd(User):
    """`action` 1 asks where the other's permission says so, 2 never asks."""

    targetId: fields.UserId
    action: Literal[1, 2] = 1
    extra: fields.FriendMessage = ""


class FriendRemove(User):
    targetIds: Annotated[
        list[fields.UserId], Field(min_length=1, max_length=fields.MAX_FRIENDS_TO_REMOVE)
    ]


class FriendList(User):
    """The manual has both numbers as texts."""

    pageToken: str | None = None
    pageSize: Annotated[fields.UserPageSize, BeforeValidator(_number)] = 50
    order: Annotated[Literal[0, 1], BeforeValidator(_number)] = 0


class Friend(Schema):
    userId: str
    name: str
    alias: str
    friendExtProfile: dict[str, str]
    addedAt: int


class Friends(Schema):
    """An empty `pageToken` is the end of the list."""

    pageToken: str
    totalCount: int
    friends: list[Friend]


class RelationshipGet(User):
    targetIds: fields.UserIds


class Relationship(Schema):
    """`result` 1: not friends, 4: friends."""

    userId: str
    result: Literal[1, 4]


class Relationships(Schema):
    friendships: list[Relationship]


class PermissionSet(ManyUsers):
    """Who may become their friend. 1: anyone, 2: after approval, 3: nobody."""

    permissionType: Literal[1, 2, 3]


class Permission(Schema):
    userId: str
    permissionType: Annotated[int, Field(ge=1, le=3)]


class Permissions(Schema):
    permissions: list[Permission]


class FriendProfileSet(User):
    """Without `alias` there is none any more; without `friendExtProfile` it stays."""

    targetId: fields.UserId
    alias: fields.Alias | None = None
    friendExtProfile: dict[str, str] | None = None


# --- Tags, and mutes in conversations ----------------------------------------------------------


class TagSet(Body):
    userIds: Annotated[list[fields.UserId], Field(min_length=1, max_length=fields.MAX_IDS_TO_TAG)]
    tags: fields.Tags


class TagGet(Body):
    userIds: Annotated[
        list[fields.UserId], Field(min_length=1, max_length=fields.MAX_IDS_TO_ASK_FOR_TAGS)
    ]


class TaggedUser(Schema):
    userId: str
    tags: list[str]


class TaggedUsers(Schema):
    users: list[TaggedUser]


class MuteSet(Body):
    userIds: Annotated[list[fields.UserId], Field(min_length=1, max_length=fields.MAX_IDS_TO_MUTE)]
    muteState: Literal[0, 1]
    channelTypes: Annotated[
        list[Annotated[fields.Channel, BeforeValidator(_channel)]],
        Field(min_length=1, max_length=len(fields.CHANNELS)),
    ]


class MuteList(Body):
    pageSize: fields.MutePageSize = 100
    offset: fields.Offset = 0
    channelType: fields.Channel


class MutedUsers(Schema):
    totalCount: int
    mutedUserIds: list[str]
