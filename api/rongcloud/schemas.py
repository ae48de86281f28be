"""RongCloud's words and bounds. Names are as on the wire."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from api import bodies, fields
from api.rongcloud.wire import Done
from users import hosted_profiles


def _split(texts: Sequence[str]) -> list[str]:
    """Ids repeated, joined by commas, or both; an id has no comma."""
    return [part for text in texts for part in text.split(",") if part]


def _json(given: Any) -> Any:
    """JSON in a parameter. Of a list's parameter, Ninja hands over all repetitions."""
    try:
        return bodies.loads(given[-1] if isinstance(given, list) else given)
    except ValueError as error:
        raise PydanticCustomError("json", "Not JSON: {reason}", {"reason": str(error)}) from None


def _named(*names: str) -> BeforeValidator:
    """Members of these names in any case: one SDK writes them with a capital. Null is no member."""
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


_SHOWN_AS_JSON = WithJsonSchema({"type": "string", "contentMediaType": "application/json"})
_Members = Annotated[dict[str, Any], _named()]
JSONObject = Annotated[_Members, BeforeValidator(_json), _SHOWN_AS_JSON]
ProfileFields = Annotated[
    dict[str, Any],
    _named(*hosted_profiles.TEXT_FIELDS, *hosted_profiles.NUMBER_FIELDS),
    BeforeValidator(_json),
    _SHOWN_AS_JSON,
]
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
    page: fields.PageNumberOrNone = 0
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
    pageSize: fields.UserPageSize = 20
    order: Literal["0", "1"] = "0"


class ListedUser(Schema):
    userId: str
    userName: str
    userPortrait: str
    regTime: str


class ListedUsers(Done):
    total: int
    users: list[ListedUser]


class UserGroupQuery(User):
    page: fields.PageNumber = 1
    size: fields.PageNumber = 1_000


class Group(Schema):
    id: str
    name: str


class Groups(Done):
    groups: list[Group]


# --- Push notices ------------------------------------------------------------------------------


class PushPeriod(User):
    """`period` in minutes. Level 0: every message is announced, 1: mentions alone, 5: none."""

    startTime: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$")]
    period: Annotated[fields.Number, Field(ge=0, le=1439)]
    level: Literal["0", "1", "5"] = "1"


class ShownPushPeriod(Schema):
    startTime: str
    period: int
    unPushLevel: int


class PushPeriodAnswer(Done):
    data: ShownPushPeriod


class TagSet(Schema):
    model_config = ConfigDict(strict=True)

    userId: fields.UserId
    tags: fields.Tags


class TagBatchSet(Schema):
    model_config = ConfigDict(strict=True)

    userIds: Annotated[list[fields.UserId], Field(min_length=1, max_length=fields.MAX_IDS_TO_TAG)]
    tags: fields.Tags


class TagsGet(Schema):
    userIds: Annotated[
        list[fields.UserId],
        BeforeValidator(_split),
        Field(min_length=1, max_length=fields.MAX_IDS_TO_ASK_FOR_TAGS),
    ]


class TagsAnswer(Done):
    result: dict[str, list[str]]


class Remark(Schema):
    id: fields.UserId
    remark: fields.Remark


class RemarksSet(User):
    remarks: Annotated[
        list[Annotated[Remark, _named("id", "remark")]],
        BeforeValidator(_json),
        Field(min_length=1, max_length=fields.MAX_REMARKS),
        _SHOWN_AS_JSON,
    ]


class RemarksGet(User):
    page: fields.PageNumber = 1
    size: fields.RemarkPageSize = fields.MAX_REMARK_PAGE


class RemarksDel(User):
    targetId: fields.UserId


class ShownRemark(Schema):
    id: str
    remark: str


class Remarks(Done):
    total: int
    users: list[ShownRemark]


# --- Mutes in conversations --------------------------------------------------------------------


class MuteSet(Schema):
    userId: Annotated[
        list[fields.UserId],
        BeforeValidator(_split),
        Field(min_length=1, max_length=fields.MAX_IDS_TO_MUTE),
    ]
    state: Literal["0", "1"]
    type: fields.Channel = "PERSON"


class MuteQuery(Schema):
    num: fields.MutePageSize = 100
    offset: fields.Offset = 0
    type: fields.Channel = "PERSON"


class MutedUsers(UserIds):
    total: int


# --- Hosted profiles ---------------------------------------------------------------------------


class ProfileSet(User):
    """At least one of the two."""

    userProfile: ProfileFields | None = None
    userExtProfile: JSONObject | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.userProfile is None and self.userExtProfile is None:
            raise PydanticCustomError("missing", "userProfile or userExtProfile is required")
        return self


class FewUsers(Schema):
    userId: JoinedIds


class ProfileQuery(Schema):
    page: fields.PageNumber = 1
    size: fields.UserPageSize = 20
    order: Literal["0", "1"] = "0"


class Profile(Schema):
    """Both halves are JSON in a text."""

    userId: str
    version: int
    userProfile: str
    userExtProfile: str


class Profiles(Done):
    userList: list[Profile]


# --- Friends -----------------------------------------------------------------------------------


class FriendAdd(User):
    """`optType` 1 asks where the other's permission says so, 2 never asks."""

    targetId: fields.UserId
    optType: Literal["1", "2"] = "1"
    extra: fields.FriendMessage = ""


class FriendTargets(User):
    targetIds: ManyJoinedIds


class FriendDelete(User):
    """`targetId` is how an example of the vendor's spells `targetIds`."""

    targetIds: ManyJoinedIds = []
    targetId: fields.UserId | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.ids:
            raise PydanticCustomError("missing", "targetIds is required")
        return self

    @property
    def ids(self) -> list[str]:
        return self.targetIds or ([self.targetId] if self.targetId is not None else [])


class FriendGet(User):
    pageToken: str = ""
    size: fields.UserPageSize = 50
    order: Literal["0", "1"] = "0"


class Friend(Schema):
    userId: str
    name: str
    remarkName: str
    friendExtProfile: str
    time: int


class Friends(Done):
    """Without `pageToken`, it is the last page."""

    pageToken: str | None = None
    totalCount: int
    friendList: list[Friend]


class FriendCheck(Schema):
    """`result` 1: not friends, 4: friends."""

    userId: str
    result: Literal[1, 4]


class FriendChecks(Done):
    results: list[FriendCheck]


class FriendProfileSet(User):
    """Without `remarkName` there is none any more; without `friendExtProfile` it stays."""

    targetId: fields.UserId
    remarkName: fields.Alias = ""
    friendExtProfile: JSONObject | None = None


class PermissionSet(Schema):
    """Who may become their friend. 1: anyone, 2: after approval, 3: nobody."""

    userIds: ManyJoinedIds
    permissionType: Literal["1", "2", "3"]


class PermissionGet(Schema):
    userIds: ManyJoinedIds


class Permission(Schema):
    userId: str
    type: Annotated[int, Field(ge=1, le=3)]


class Permissions(Done):
    permissionSettings: list[Permission]
