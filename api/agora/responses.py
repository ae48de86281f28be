"""The schema of each call's response: its keys of the envelope, and its content.

`envelope` returns all keys, and Ninja keeps those that the call's schema has. The document is
generated from these schemas too. A key with a default is left out if it has no value.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from api.agora.push_schemas import PushPreferences
from api.agora.schemas import Seconds

D = TypeVar("D")
# A default for a key that is left out if it is not set.
_UNSET: Any = None
UnixMilliseconds = Annotated[int, Field(description="Unix time in milliseconds")]
Nothing = Annotated[list[None], Field(max_length=0)]
State = Literal["online", "offline"]
DeliveryState = Literal["delivered", "undelivered"]


# --- The envelope ------------------------------------------------------------------------------
class WithTime(BaseModel):
    timestamp: UnixMilliseconds
    duration: Annotated[int, Field(description="milliseconds that the call took")]


class WithAction(WithTime):
    action: str


class WithApplication(WithAction):
    """The app's names; left out if the path names the app by its key."""

    application: str = ""
    organization: str = ""
    applicationName: str = ""


class WithUri(WithAction):
    uri: str


class WithPath(WithUri):
    path: str


class FullEnvelope(WithPath, WithApplication):
    """With all keys about the application and the path."""


class UserFields(BaseModel):
    uuid: str
    type: Literal["user"]
    created: UnixMilliseconds
    modified: UnixMilliseconds
    username: str
    activated: bool


class PushDevice(BaseModel):
    device_Id: str
    device_token: str
    notifier_name: str


class User(PushPreferences, UserFields):
    """A banned user is not `activated`. Push settings are there if they are set. The newest device
    is first in `pushInfo`; its token and notifier are repeated beside the list.
    """

    device_token: str = _UNSET
    notifier_name: str = _UNSET
    pushInfo: list[PushDevice] = _UNSET


class Data(WithTime, Generic[D]):
    data: D


class Listed(WithUri, Data[D], Generic[D]):
    """Data about a user; `entities` is always empty."""

    entities: Nothing


class Counted(Listed[D], Generic[D]):
    count: int


# --- Users -------------------------------------------------------------------------------------
class Users(FullEnvelope):
    entities: list[User]


class Failure(BaseModel):
    username: str
    registerUserFailReason: str


class Registered(Users):
    """`data` in a batch alone: the users that were not registered."""

    data: list[Failure] = _UNSET


class FoundUser(WithPath):
    entities: list[User]
    count: Literal[1]


class Page(WithPath):
    """`cursor` if there are more; `params` as they were sent."""

    params: dict[str, list[str]] = _UNSET
    entities: list[User]
    cursor: str = ""
    count: int


class Deleted(Users):
    params: dict[str, list[str]] = _UNSET
    cursor: str = ""


class OpenRegistration(BaseModel):
    allow_open_registration: bool


class RegistrationModeSet(FullEnvelope, Data[OpenRegistration]):
    pass


# --- Connections -------------------------------------------------------------------------------
class States(WithAction, Data[list[dict[str, State]]]):
    """One for each name of the request, in the same order."""


class Success(BaseModel):
    result: Literal[True]


class Disconnected(WithApplication, Listed[Success]):
    pass


class Device(BaseModel):
    res: str
    device_uuid: str
    device_name: str


class Devices(FullEnvelope, Listed[list[Device]]):
    pass


# --- Moderation --------------------------------------------------------------------------------
class Banned(WithAction):
    entities: list[User]


class Names(WithApplication, Listed[list[str]]):
    pass


class PageOfNames(Counted[list[str]]):
    cursor: str = ""


class Ok(BaseModel):
    result: Literal["ok"]


class Muted(FullEnvelope, Data[Ok]):
    pass


class MutesOfUser(BaseModel):
    """Seconds left; 0 if the user is not muted, -1 if the mute has no end."""

    userid: str
    chat: Seconds
    groupchat: Seconds
    chatroom: Seconds
    unixtime: int


class UserMutes(FullEnvelope, Data[MutesOfUser]):
    pass


class MuteInForce(BaseModel):
    """One of the three, in seconds left; -1 if the mute has no end."""

    username: str
    chat: Seconds = _UNSET
    groupchat: Seconds = _UNSET
    chatroom: Seconds = _UNSET


class MuteList(BaseModel):
    data: list[MuteInForce]
    unixtime: int


class Mutes(FullEnvelope, Data[MuteList]):
    pass


# --- Contacts ----------------------------------------------------------------------------------
class Contact(BaseModel):
    """`remark` if it was requested."""

    username: str
    remark: str | None = None


class ContactList(BaseModel):
    contacts: list[Contact]
    cursor: str = ""


class Contacts(Counted[ContactList]):
    cursor: str = ""


class RemarkedContact(BaseModel):
    """`remark` is empty if there is none."""

    username: str
    remark: str


class AllContacts(WithUri, Data[list[str]]):
    """`entities` if remarks were requested."""

    entities: list[RemarkedContact]
    count: int


class AppliedTo(BaseModel):
    applyContacts: list[str]


class Applied(FullEnvelope, Data[AppliedTo]):
    pass


class AcceptedFrom(BaseModel):
    acceptContacts: list[str]


class Accepted(FullEnvelope, Data[AcceptedFrom]):
    pass


class DeclinedFrom(BaseModel):
    declineContacts: list[str]


class Declined(FullEnvelope, Data[DeclinedFrom]):
    pass


class Done(WithUri):
    status: Literal["ok"]


class Outcome(BaseModel):
    """The names by result."""

    success: list[str]
    NotExistFailed: list[str]
    maxLimitFailed: list[str]
    UnKnowFailed: list[str]


class ContactsImported(WithAction, Data[Outcome]):
    status: Literal["ok"]


class Relation(BaseModel):
    username: str
    relation: Literal["friend", "not_friend", "blacklist", "not_blacklist"]


class Relations(FullEnvelope):
    """One for each name of the request, in the same order."""

    entities: list[Relation]
