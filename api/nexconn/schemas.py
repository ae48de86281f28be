"""Nexconn's words and bounds. A field is spelled as its name in camel case, but where an alias says
otherwise. Types are strict, "30" is no number.
"""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api import fields


class Asked(Schema):
    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class Answered(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class User(Asked):
    user_id: fields.UserId


class Users(Asked):
    user_ids: fields.UserIds


class ManyUsers(Asked):
    user_ids: fields.ManyUserIds


class IssueToken(User):
    name: fields.Name
    avatar_url: fields.AvatarUrl | None = None


class Token(Answered):
    user_id: str
    token: str = Field(alias="accessToken")


class ExpireTokens(Users):
    milliseconds: fields.Milliseconds = Field(alias="expiresAt")


class Profile(Answered):
    name: str
    avatar_url: str
    registered_at: str = Field(alias="createdAt")


class Update(User):
    name: fields.Name | None = None
    avatar_url: fields.AvatarUrl | None = None


class Status(Answered):
    status: Literal["0", "1"]


class Operation(Answered):
    operation_id: str


class SoftDeletedList(Asked):
    page: fields.PageNumber = 1
    size: fields.DeactivatedPageSize = Field(fields.MAX_DEACTIVATED_PAGE, alias="pageSize")


class UserIds(Answered):
    user_ids: list[str]


# --- Moderation --------------------------------------------------------------------------------


class Ban(Users):
    minutes: fields.Minutes = Field(alias="durationMinutes")


class BanList(Asked):
    page: fields.PageNumberOrNone | None = None
    size: fields.ListPageSize = Field(50, alias="pageSize")


class BannedUser(Answered):
    user_id: str
    ends_at: str = Field(alias="banExpiresAt")


class BannedUsers(Answered):
    users: list[BannedUser] = Field(alias="bannedUsers")


class BlocklistAdd(User):
    listed_ids: fields.UserIds = Field(alias="targetUserIds")


class BlocklistRemove(User):
    listed_ids: fields.UserIds = Field(alias="blockedUserIds")


class BlocklistGet(User):
    cursor: str | None = Field(None, alias="pageToken")
    size: fields.ListPageSize = Field(fields.MAX_LIST_PAGE, alias="pageSize")
    order: fields.Switch = 0


# An empty one is the end of the list.
PageToken = Annotated[str, BeforeValidator(lambda cursor: cursor or ""), Field(alias="pageToken")]


class Blocklist(Answered):
    user_ids: list[str] = Field(alias="blockedUserIds")
    next: PageToken


def _channel(given: Any) -> Any:
    """The manual's example has a number for it."""
    return "PERSON" if given == 1 and given is not True else given


class MuteSet(Asked):
    user_ids: fields.UserIdsToMute
    state: fields.Switch = Field(alias="muteState")
    channels: Annotated[
        list[Annotated[fields.Channel, BeforeValidator(_channel)]],
        Field(min_length=1, max_length=len(fields.CHANNELS)),
    ] = Field(alias="channelTypes")


class MuteList(Asked):
    size: fields.MutePageSize = Field(100, alias="pageSize")
    offset: fields.Offset = 0
    channel: fields.Channel = Field(alias="channelType")


class MutedUsers(Answered):
    total: int = Field(alias="totalCount")
    user_ids: list[str] = Field(alias="mutedUserIds")


# --- Hosted profiles ---------------------------------------------------------------------------


class ProfileSet(User):
    """At least one of the two."""

    basic: dict[str, Any] | None = Field(None, alias="userProfile")
    extended: dict[str, str] | None = Field(None, alias="userExtProfile")

    _has_one = fields.at_least_one("basic", "extended", said="userProfile or userExtProfile")


class ProfileList(Asked):
    page: fields.PageNumber = 1
    size: fields.UserPageSize = Field(20, alias="pageSize")
    order: fields.Switch = 0


class HostedProfile(Answered):
    """An empty half is left out."""

    user_id: str
    version: int
    basic: Annotated[dict[str, Any] | None, BeforeValidator(lambda half: half or None)] = Field(
        None, alias="userProfile"
    )
    extended: Annotated[dict[str, str] | None, BeforeValidator(lambda half: half or None)] = Field(
        None, alias="userExtProfile"
    )


class HostedProfiles(Answered):
    users: list[HostedProfile]


# --- Friends -----------------------------------------------------------------------------------


class FriendAdd(User):
    target_id: fields.UserId
    action: fields.FriendAction = 1
    message: fields.FriendMessage = Field("", alias="extra")


class FriendRemove(User):
    target_ids: fields.ManyUserIds


class FriendList(User):
    """The manual has both numbers as texts."""

    cursor: str | None = Field(None, alias="pageToken")
    size: Annotated[fields.UserPageSize, fields.DIGITS_TOO] = Field(50, alias="pageSize")
    order: Annotated[fields.Switch, fields.DIGITS_TOO] = 0


class Friend(Answered):
    user_id: str
    name: str
    alias: str
    extended: dict[str, str] = Field(alias="friendExtProfile")
    added_at: int


class Friends(Answered):
    next: PageToken
    total: int = Field(alias="totalCount")
    friends: list[Friend]


class RelationshipGet(User):
    target_ids: fields.UserIds


class Relationship(Answered):
    user_id: str
    result: Literal[1, 4]


class Relationships(Answered):
    users: list[Relationship] = Field(alias="friendships")


class PermissionSet(ManyUsers):
    permission: fields.FriendPermissionNumber = Field(alias="permissionType")


class Permission(Answered):
    user_id: str
    permission: fields.FriendPermissionNumber = Field(alias="permissionType")


class Permissions(Answered):
    users: list[Permission] = Field(alias="permissions")


class FriendProfileSet(User):
    target_id: fields.UserId
    friend_alias: fields.Alias | None = Field(None, alias="alias")
    extended: dict[str, str] | None = Field(None, alias="friendExtProfile")


# --- Tags --------------------------------------------------------------------------------------


class TagSet(Asked):
    user_ids: fields.UserIdsToTag
    tags: fields.Tags


class TagGet(Asked):
    user_ids: fields.UserIdsToAskForTags


class TaggedUser(Answered):
    user_id: str
    tags: list[str]


class TaggedUsers(Answered):
    users: list[TaggedUser]
