"""Nexconn's requests and responses with their bounds. A field's name on the wire is its name in
camel case, unless it has an alias. Types are strict: "30" is not a number.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api import fields


class Request(BaseModel):
    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class Response(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class User(Request):
    user_id: fields.UserId


class Users(Request):
    user_ids: fields.UserIds


class ManyUsers(Request):
    user_ids: fields.ManyUserIds


class IssueToken(User):
    name: fields.Name
    avatar_url: fields.AvatarUrl | None = None


class Token(Response):
    user_id: str
    token: str = Field(alias="accessToken")


class ExpireTokens(Users):
    milliseconds: fields.Milliseconds = Field(alias="expiresAt")


class Profile(Response):
    name: str
    avatar_url: str
    registered_at: str = Field(alias="createdAt")


class Update(User):
    name: fields.Name | None = None
    avatar_url: fields.AvatarUrl | None = None


class Status(Response):
    status: Literal["0", "1"]


class Operation(Response):
    operation_id: str


class SoftDeletedList(Request):
    page: fields.PageNumber = 1
    size: fields.DeactivatedPageSize = Field(fields.MAX_DEACTIVATED_PAGE, alias="pageSize")


class UserIds(Response):
    user_ids: list[str]


# --- Moderation --------------------------------------------------------------------------------


class Ban(Users):
    minutes: fields.Minutes = Field(alias="durationMinutes")


class BanList(Request):
    page: fields.PageNumberOrNone | None = None
    size: fields.ListPageSize = Field(50, alias="pageSize")


class BannedUser(Response):
    user_id: str
    ends_at: str = Field(alias="banExpiresAt")


class BannedUsers(Response):
    users: list[BannedUser] = Field(alias="bannedUsers")


class BlocklistAdd(User):
    listed_ids: fields.UserIds = Field(alias="targetUserIds")


class BlocklistRemove(User):
    listed_ids: fields.UserIds = Field(alias="blockedUserIds")


class BlocklistGet(User):
    cursor: str | None = Field(None, alias="pageToken")
    size: fields.ListPageSize = Field(fields.MAX_LIST_PAGE, alias="pageSize")
    order: fields.Switch = 0


# An empty one marks the last page.
PageToken = Annotated[str, BeforeValidator(lambda cursor: cursor or ""), Field(alias="pageToken")]


class Blocklist(Response):
    user_ids: list[str] = Field(alias="blockedUserIds")
    next: PageToken


def _channel(given: Any) -> Any:
    """The manual's example has the number 1 for PERSON."""
    return "PERSON" if given == 1 and given is not True else given


class MuteSet(Request):
    user_ids: fields.UserIdsToMute
    state: fields.Switch = Field(alias="muteState")
    channels: Annotated[
        list[Annotated[fields.Channel, BeforeValidator(_channel)]],
        Field(min_length=1, max_length=len(fields.CHANNELS)),
    ] = Field(alias="channelTypes")


class MuteList(Request):
    size: fields.MutePageSize = Field(100, alias="pageSize")
    offset: fields.Offset = 0
    channel: fields.Channel = Field(alias="channelType")


class MutedUsers(Response):
    total: int = Field(alias="totalCount")
    user_ids: list[str] = Field(alias="mutedUserIds")


# --- Hosted profiles ---------------------------------------------------------------------------


class ProfileSet(User):
    """At least one of the two is required."""

    basic: dict[str, Any] | None = Field(None, alias="userProfile")
    extended: dict[str, str] | None = Field(None, alias="userExtProfile")

    _has_one = fields.at_least_one("basic", "extended", label="userProfile or userExtProfile")


class ProfileList(Request):
    page: fields.PageNumber = 1
    size: fields.UserPageSize = Field(20, alias="pageSize")
    order: fields.Switch = 0


class HostedProfile(Response):
    """An empty part is left out."""

    user_id: str
    version: int
    basic: Annotated[dict[str, Any] | None, BeforeValidator(lambda part: part or None)] = Field(
        None, alias="userProfile"
    )
    extended: Annotated[dict[str, str] | None, BeforeValidator(lambda part: part or None)] = Field(
        None, alias="userExtProfile"
    )


class HostedProfiles(Response):
    users: list[HostedProfile]


# --- Friends -----------------------------------------------------------------------------------


class FriendAdd(User):
    target_id: fields.UserId
    action: fields.FriendAction = 1
    message: fields.FriendMessage = Field("", alias="extra")


class FriendRemove(User):
    target_ids: fields.ManyUserIds


class FriendList(User):
    """In the manual, both numbers are texts."""

    cursor: str | None = Field(None, alias="pageToken")
    size: Annotated[fields.UserPageSize, fields.DIGITS_ALLOWED] = Field(50, alias="pageSize")
    order: Annotated[fields.Switch, fields.DIGITS_ALLOWED] = 0


class Friend(Response):
    user_id: str
    name: str
    alias: str
    extended: dict[str, str] = Field(alias="friendExtProfile")
    added_at: int


class Friends(Response):
    next: PageToken
    total: int = Field(alias="totalCount")
    friends: list[Friend]


class RelationshipGet(User):
    target_ids: fields.UserIds


class Relationship(Response):
    user_id: str
    result: Literal[1, 4]


class Relationships(Response):
    users: list[Relationship] = Field(alias="friendships")


class PermissionSet(ManyUsers):
    permission: fields.FriendPermissionNumber = Field(alias="permissionType")


class Permission(Response):
    user_id: str
    permission: fields.FriendPermissionNumber = Field(alias="permissionType")


class Permissions(Response):
    users: list[Permission] = Field(alias="permissions")


class FriendProfileSet(User):
    target_id: fields.UserId
    friend_alias: fields.Alias | None = Field(None, alias="alias")
    extended: dict[str, str] | None = Field(None, alias="friendExtProfile")


# --- Tags --------------------------------------------------------------------------------------


class TagSet(Request):
    user_ids: fields.UserIdsToTag
    tags: fields.Tags


class TagGet(Request):
    user_ids: fields.UserIdsToGetTags


class TaggedUser(Response):
    user_id: str
    tags: list[str]


class TaggedUsers(Response):
    users: list[TaggedUser]
