"""RongCloud's requests and responses with their bounds. A field's name on the wire is its name in
camel case, unless it has an alias.
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from api import bodies, fields, profile_words
from api.rongcloud.wire import Done


def _split_ids(texts: Sequence[str]) -> list[str]:
    """The ids, which may be repeated, joined by commas, or both. An id contains no comma."""
    return [part for text in texts for part in text.split(",") if part]


def _parse_json(given: Any) -> Any:
    """Parses JSON in a parameter. For a list, Ninja passes all repetitions; the last one counts."""
    try:
        return bodies.loads(given[-1] if isinstance(given, list) else given)
    except ValueError as error:
        raise PydanticCustomError("json", "Not JSON: {reason}", {"reason": str(error)}) from None


def _case_insensitive(*names: str) -> BeforeValidator:
    """Reads members of these names in any case: one SDK capitalizes them. Null counts as not
    sent.
    """
    known = {name.lower(): name for name in names}

    def members(given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        present = [(name, value) for name, value in given.items() if value is not None]
        named = {known.get(name.lower(), name): value for name, value in present}
        if len(named) < len(present):
            raise PydanticCustomError("json", "Not JSON: a key appears twice")
        return named

    return BeforeValidator(members)


_DOCUMENTED_AS_JSON = WithJsonSchema({"type": "string", "contentMediaType": "application/json"})
_Members = Annotated[dict[str, Any], _case_insensitive()]
JSONObject = Annotated[_Members, BeforeValidator(_parse_json), _DOCUMENTED_AS_JSON]
ProfileFields = Annotated[
    dict[str, Any],
    _case_insensitive(*profile_words.NAMES),
    BeforeValidator(_parse_json),
    _DOCUMENTED_AS_JSON,
]
# JSON text in a response.
JSONText = Annotated[str, BeforeValidator(partial(json.dumps, ensure_ascii=False))]
JoinedIds = Annotated[fields.UserIds, BeforeValidator(_split_ids)]
ManyJoinedIds = Annotated[fields.ManyUserIds, BeforeValidator(_split_ids)]


class Request(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class JSONRequest(Request):
    """Types are strict: "30" is not a number."""

    model_config = ConfigDict(strict=True)


class Response(Done):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ResponsePart(BaseModel):
    """A part of a response."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class User(Request):
    user_id: fields.UserId


class Users(Request):
    user_ids: fields.UserIds = Field(alias="userId")


class FewUsers(Request):
    user_ids: JoinedIds = Field(alias="userId")


class ManyUsers(Request):
    user_ids: ManyJoinedIds = Field(alias="userId")


class GetToken(User):
    name: fields.Name
    avatar_url: fields.AvatarUrl | None = Field(None, alias="portraitUri")


class Token(Response):
    user_id: str
    token: str


class ExpireTokens(FewUsers):
    milliseconds: fields.Milliseconds = Field(alias="time")


class Refresh(User):
    name: fields.Name | None = None
    avatar_url: fields.AvatarUrl | None = Field(None, alias="portraitUri")


class Info(Response):
    name: str = Field(alias="userName")
    avatar_url: str = Field(alias="userPortrait")
    registered_at: str = Field(alias="createTime")


class Online(Response):
    status: Literal["0", "1"]


class UserIds(Response):
    user_ids: list[str] = Field(alias="users")


class Operation(Response):
    operation_id: str = Field(alias="operateId")


class DeactivatedQuery(Request):
    page: fields.PageNumber = Field(1, alias="pageNo")
    size: fields.DeactivatedPageSize = Field(fields.MAX_DEACTIVATED_PAGE, alias="pageSize")


class UserQuery(Request):
    page: fields.PageNumber = 1
    size: fields.UserPageSize = Field(20, alias="pageSize")
    order: fields.Switch = 0


class ListedUser(ResponsePart):
    user_id: str
    name: str = Field(alias="userName")
    avatar_url: str = Field(alias="userPortrait")
    registered_at: str = Field(alias="regTime")


class ListedUsers(Response):
    total: int
    users: list[ListedUser]


class UserGroupQuery(User):
    page: fields.PageNumber = 1
    size: fields.PageNumber = 1_000


class Group(ResponsePart):
    id: str
    name: str


class Groups(Response):
    groups: list[Group]


# --- Bans, lists, mutes ------------------------------------------------------------------------


class Block(Users):
    minutes: fields.Minutes = Field(alias="minute")


class BlockQuery(Request):
    page: fields.PageNumberOrNone = 0
    size: fields.ListPageSize = 50


class BlockedUser(ResponsePart):
    user_id: str
    ends_at: str = Field(alias="blockEndTime")


class BlockedUsers(Response):
    users: list[BlockedUser]


class BlacklistChange(User):
    listed_ids: fields.UserIds = Field(alias="blackUserId")


class WhitelistChange(User):
    listed_ids: fields.UserIds = Field(alias="whiteUserId")


class ListQuery(User):
    cursor: str = Field("", alias="pageToken")
    size: fields.ListPageSize = fields.MAX_LIST_PAGE


class ListPage(UserIds):
    """The last page has no `next`."""

    next: str | None = None


class WhitesettingSet(Users):
    state: fields.Switch = Field(alias="whiteSetting")


class Whitesetting(ResponsePart):
    user_id: str
    state: Literal["0", "1"] = Field(alias="whiteSetting")


class Whitesettings(Response):
    users: list[Whitesetting]


class MuteSet(Request):
    user_ids: Annotated[fields.UserIdsToMute, BeforeValidator(_split_ids)] = Field(alias="userId")
    state: fields.Switch
    channel: fields.Channel = Field("PERSON", alias="type")


class MuteQuery(Request):
    size: fields.MutePageSize = Field(100, alias="num")
    offset: fields.Offset = 0
    channel: fields.Channel = Field("PERSON", alias="type")


class MutedUsers(UserIds):
    total: int


# --- Push notices ------------------------------------------------------------------------------


class PushPeriod(User):
    """`period` in minutes. Level 0: a notice for every message, 1: for mentions alone, 5: none."""

    start_time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$")]
    period: Annotated[int, Field(ge=0, le=1439), fields.PLAIN_DIGITS]
    level: Literal["0", "1", "5"] = "1"


class ShownPushPeriod(ResponsePart):
    start: str = Field(alias="startTime")
    minutes: int = Field(alias="period")
    level: int = Field(alias="unPushLevel")


class PushPeriodResponse(Response):
    data: ShownPushPeriod


class TagSet(JSONRequest):
    user_id: fields.UserId
    tags: fields.Tags


class TagBatchSet(JSONRequest):
    user_ids: fields.UserIdsToTag
    tags: fields.Tags


class TagsGet(Request):
    user_ids: Annotated[fields.UserIdsToGetTags, BeforeValidator(_split_ids)]


class TagsResponse(Response):
    by_user: dict[str, list[str]] = Field(alias="result")


class Remark(BaseModel):
    id: fields.UserId
    remark: fields.Remark


class RemarksSet(User):
    remarks: Annotated[
        list[Annotated[Remark, _case_insensitive("id", "remark")]],
        BeforeValidator(_parse_json),
        Field(min_length=1, max_length=fields.MAX_REMARKS),
        _DOCUMENTED_AS_JSON,
    ]


class RemarksGet(User):
    page: fields.PageNumber = 1
    size: fields.RemarkPageSize = fields.MAX_REMARK_PAGE


class RemarksDel(User):
    target_id: fields.UserId


class ShownRemark(ResponsePart):
    id: str
    remark: str


class Remarks(Response):
    total: int
    users: list[ShownRemark]


# --- Hosted profiles ---------------------------------------------------------------------------


class ProfileSet(User):
    """At least one of the two is required."""

    basic: ProfileFields | None = Field(None, alias="userProfile")
    extended: JSONObject | None = Field(None, alias="userExtProfile")

    _has_one = fields.at_least_one("basic", "extended", label="userProfile or userExtProfile")


class ProfileQuery(Request):
    page: fields.PageNumber = 1
    size: fields.UserPageSize = 20
    order: fields.Switch = 0


class Profile(ResponsePart):
    """Both parts are JSON as text."""

    user_id: str
    version: int
    basic: JSONText = Field(alias="userProfile")
    extended: JSONText = Field(alias="userExtProfile")


class Profiles(Response):
    users: list[Profile] = Field(alias="userList")


# --- Friends -----------------------------------------------------------------------------------


class FriendAdd(User):
    """`optType` 1 asks the other user if their permission requires it, 2 never asks."""

    target_id: fields.UserId
    action: fields.FriendAction = Field(1, alias="optType")
    message: fields.FriendMessage = Field("", alias="extra")


class FriendTargets(User):
    target_ids: ManyJoinedIds


class FriendDelete(User):
    """`targetId` is `targetIds` in an example of the vendor."""

    target_ids: ManyJoinedIds = []
    target_id: fields.UserId | None = None

    _has_one = fields.at_least_one("target_ids", "target_id", label="targetIds")


class FriendGet(User):
    cursor: str = Field("", alias="pageToken")
    size: fields.UserPageSize = 50
    order: fields.Switch = 0


class Friend(ResponsePart):
    user_id: str
    name: str
    alias: str = Field(alias="remarkName")
    extended: JSONText = Field(alias="friendExtProfile")
    added_at: int = Field(alias="time")


class Friends(Response):
    """The last page has no `pageToken`."""

    next: str | None = Field(None, alias="pageToken")
    total: int = Field(alias="totalCount")
    friends: list[Friend] = Field(alias="friendList")


class FriendCheck(ResponsePart):
    """`result` 1: not friends, 4: friends."""

    user_id: str
    result: Literal[1, 4]


class FriendChecks(Response):
    users: list[FriendCheck] = Field(alias="results")


class FriendProfileSet(User):
    """Without `remarkName`, the remark is removed; without `friendExtProfile`, it stays."""

    target_id: fields.UserId
    friend_alias: fields.Alias = Field("", alias="remarkName")
    extended: JSONObject | None = Field(None, alias="friendExtProfile")


class PermissionGet(Request):
    user_ids: ManyJoinedIds


class PermissionSet(PermissionGet):
    """Who may become these users' friend. 1: anyone, 2: after approval, 3: nobody."""

    permission: fields.FriendPermissionNumber = Field(alias="permissionType")


class Permission(ResponsePart):
    user_id: str
    permission: fields.FriendPermissionNumber = Field(alias="type")


class Permissions(Response):
    users: list[Permission] = Field(alias="permissionSettings")
