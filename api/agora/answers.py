"""What each call answers with: its own choice of the envelope's keys, and the content.

Ninja makes the answers from these, key by key, and the document too: `envelope` knows all keys,
and a call shows those that its schema names. A key with a default is there only when it has a
value.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import BaseModel, Field

from api.agora.push_schemas import PushPreferences
from api.agora.schemas import Seconds

D = TypeVar("D")
# No default that would be shown: what is not set is not sent.
_UNSET: Any = None
UnixMilliseconds = Annotated[int, Field(description="Unix time in milliseconds")]
Nothing = Annotated[list[None], Field(max_length=0)]
State = Literal["online", "offline"]
DeliveryState = Literal["delivered", "undelivered"]


# --- The envelope ------------------------------------------------------------------------------
class Timed(Schema):
    timestamp: UnixMilliseconds
    duration: Annotated[int, Field(description="milliseconds that the call took")]


class Acted(Timed):
    action: str


class OfApplication(Acted):
    """Who was asked; without these where the app was named by its key."""

    application: str = ""
    organization: str = ""
    applicationName: str = ""


class AtUri(Acted):
    uri: str


class AtPath(AtUri):
    path: str


class Placed(AtPath, OfApplication):
    """With all that the envelope says of application and place."""


class Identified(BaseModel):
    uuid: str
    type: Literal["user"]
    created: UnixMilliseconds
    modified: UnixMilliseconds
    username: str
    activated: bool


class PushDevice(Schema):
    device_Id: str
    device_token: str
    notifier_name: str


class User(PushPreferences, Identified):
    """Who is not activated is banned. Push settings where they are set; the newest device first,
    and its token and notifier beside the list as well.
    """

    device_token: str = _UNSET
    notifier_name: str = _UNSET
    pushInfo: list[PushDevice] = _UNSET


class Data(Timed, Generic[D]):
    data: D


class Listed(AtUri, Data[D], Generic[D]):
    """What is found about a user; there are no entities in it."""

    entities: Nothing


class Counted(Listed[D], Generic[D]):
    count: int


# --- Users -------------------------------------------------------------------------------------
class Users(Placed):
    entities: list[User]


class Failure(Schema):
    username: str
    registerUserFailReason: str


class Registered(Users):
    """`data` where several were to be registered: those that were not."""

    data: list[Failure] = _UNSET


class FoundUser(AtPath):
    entities: list[User]
    count: Literal[1]


class Page(AtPath):
    """`cursor` where there are more; `params` as they were asked."""

    params: dict[str, list[str]] = _UNSET
    entities: list[User]
    cursor: str = ""
    count: int


class Deleted(Users):
    params: dict[str, list[str]] = _UNSET
    cursor: str = ""


class Openness(Schema):
    allow_open_registration: bool


class RegistrationModeSet(Placed, Data[Openness]):
    pass


# --- Connections -------------------------------------------------------------------------------
class States(Acted, Data[list[dict[str, State]]]):
    """One for each name asked for, in that order."""


class Success(Schema):
    result: Literal[True]


class Disconnected(OfApplication, Listed[Success]):
    pass


class Device(Schema):
    res: str
    device_uuid: str
    device_name: str


class Devices(Placed, Listed[list[Device]]):
    pass


# --- Moderation --------------------------------------------------------------------------------
class Banned(Acted):
    entities: list[User]


class Names(OfApplication, Listed[list[str]]):
    pass


class PageOfNames(Counted[list[str]]):
    cursor: str = ""


class Ok(Schema):
    result: Literal["ok"]


class Muted(Placed, Data[Ok]):
    pass


class MutesOfUser(Schema):
    """Seconds left; 0 where the user is not muted, -1 where they are for good."""

    userid: str
    chat: Seconds
    groupchat: Seconds
    chatroom: Seconds
    unixtime: int


class UserMutes(Placed, Data[MutesOfUser]):
    pass


class MuteInForce(Schema):
    """One of the three, in seconds left; -1 is for good."""

    username: str
    chat: Seconds = _UNSET
    groupchat: Seconds = _UNSET
    chatroom: Seconds = _UNSET


class MuteList(Schema):
    data: list[MuteInForce]
    unixtime: int


class Mutes(Placed, Data[MuteList]):
    pass


# --- Contacts ----------------------------------------------------------------------------------
class Contact(Schema):
    """`remark` where it was asked for."""

    username: str
    remark: str | None = None


class ContactList(Schema):
    contacts: list[Contact]
    cursor: str = ""


class Contacts(Counted[ContactList]):
    cursor: str = ""


class RemarkedContact(Schema):
    """`remark` is empty where there is none."""

    username: str
    remark: str


class AllContacts(AtUri, Data[list[str]]):
    """`entities` where remarks were asked for."""

    entities: list[RemarkedContact]
    count: int


class AppliedTo(Schema):
    applyContacts: list[str]


class Applied(Placed, Data[AppliedTo]):
    pass


class AcceptedFrom(Schema):
    acceptContacts: list[str]


class Accepted(Placed, Data[AcceptedFrom]):
    pass


class DeclinedFrom(Schema):
    declineContacts: list[str]


class Declined(Placed, Data[DeclinedFrom]):
    pass


class Done(AtUri):
    status: Literal["ok"]


class Outcome(Schema):
    """Names, by what became of them."""

    success: list[str]
    NotExistFailed: list[str]
    maxLimitFailed: list[str]
    UnKnowFailed: list[str]


class ContactsImported(Acted, Data[Outcome]):
    status: Literal["ok"]


class Relation(Schema):
    username: str
    relation: Literal["friend", "not_friend", "blacklist", "not_blacklist"]


class Relations(Placed):
    """One for each name asked for, in that order."""

    entities: list[Relation]
