"""What the client's messages and queries say and do, and the payloads of the answers.

An exception of the domain becomes a code of `words`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from applications import callers, vendors
from applications.unix_time import milliseconds
from gateway import calls, protobuf
from gateway.calls import Client, MessageRefused
from gateway.protobuf import Malformed
from gateway.rongcloud import attributes, statuses, words
from gateway.rongcloud.frames import NotSupported, Received, messages
from moderation.lists import MAX_ENTRIES
from users import identity
from users.extras import Extra

TEXT = "RC:TxtMsg"
READ_RECEIPT = "RC:ReadNtf"
MAX_KEY_DIGITS = 18
_VENDOR = "rongcloud"


class NotOnBlocklist(Exception):
    """The user that the client asks about is not on its blocklist."""


REFUSALS: tuple[type[Exception], ...] = (
    MessageRefused,
    NotSupported,
    Malformed,
    *words.ERRORS,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0 is success."""

    status: int = words.OK
    payload: bytes = b""


# --- Connecting ---


def seat_of(app_key: str, *, now: datetime) -> str:
    """The seat of a web page: there is one, unless the environment allows several pages."""
    secrets = callers.secrets_of_key(app_key, now=now)
    if not secrets:
        return ""
    settings = vendors.in_force(secrets[0].environment.vendor_settings, [_VENDOR])
    return "" if settings.get(vendors.full_name(_VENDOR, "several_pages")) else f"{_VENDOR} web"


# --- Messages from the client ---


@dataclass(frozen=True, slots=True)
class Text:
    recipient_id: str
    client_id: str
    body: str
    extra: Extra


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    message_id: int


def message_of(request: Received, attempt: str) -> Text | ReadReceipt:
    """What a message says. `attempt` is the client's id for it if it does not give one.

    Raises one of `REFUSALS`.
    """
    if request.topic != "ppMsgP":
        raise NotSupported
    sent = protobuf.read(messages.UpStreamMessage, request.payload)
    if sent.classname == READ_RECEIPT:
        uid = attributes.text(attributes.content_of(sent), "messageUId")
        if not uid.isascii() or not uid.isdigit() or len(uid) > MAX_KEY_DIGITS:
            raise Malformed("not the id of a message")
        return ReadReceipt(int(uid))
    if sent.classname != TEXT:
        raise NotSupported
    client_id = f"{sent.clientUniqueId:x}" if sent.clientUniqueId else attempt
    recipient_id = identity.check_user_id(request.target)
    body, extra = attributes.read(sent, attributes.content_of(sent))
    return Text(recipient_id, client_id, body, extra)


# --- Queries ---


def answer(client: Client, request: Received, now: datetime) -> Answer:
    """The answer to a query of `QUERIES`. Blocks."""
    try:
        return Answer(payload=QUERIES[request.topic](client, request, now))
    except NotOnBlocklist:
        return Answer(words.NOT_ON_BLOCKLIST)
    except REFUSALS as error:
        return Answer(code_of(error))


def answer_nothing(request: Received, now: datetime) -> Answer:
    """The answer to a query for something that is not kept here. Those that the SDK makes by
    itself after connecting are told that there is nothing new.
    """
    nothing = NOTHING_NEW.get(request.topic)
    if nothing is None:
        return Answer(words.NOT_SUPPORTED)
    return Answer(payload=_bytes(nothing(milliseconds(now))))


def code_of(error: Exception) -> int:
    """The SDK's code for one of `REFUSALS`."""
    match error:
        case MessageRefused():
            return words.RULES[error.verdict.rule]
        case NotSupported():
            return words.NOT_SUPPORTED
        case Malformed():
            return words.FAILED
        case _:
            return words.ERRORS[type(error)]


def _block(client: Client, request: Received, now: datetime) -> bytes:
    calls.block(client, [_other(request)])
    return b""


def _unblock(client: Client, request: Received, now: datetime) -> bytes:
    calls.unblock(client, [_other(request)])
    return b""


def _is_blocked(client: Client, request: Received, now: datetime) -> bytes:
    if not calls.blocks(client, _other(request)):
        raise NotOnBlocklist
    return b""


def _blocklist(client: Client, request: Received, now: datetime) -> bytes:
    page = calls.blocklist_page(client, cursor="", size=MAX_ENTRIES)
    return _bytes(messages.UserIds(userIds=[entry.listed_id for entry in page.rows]))


def _other(request: Received) -> str:
    return str(protobuf.read(messages.UserId, request.payload).userId)


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _subscribe(client: Client, request: Received, now: datetime) -> bytes:
    return _bytes(statuses.subscribe(client, request.payload, now))


def _status_of(client: Client, request: Received, now: datetime) -> bytes:
    return _bytes(statuses.query(client, request.payload, now))


# The blocklist is SDK 2's.
QUERIES: dict[str, Callable[[Client, Received, datetime], bytes]] = {
    "addBlack": _block,
    "rmBlack": _unblock,
    "blackStat": _is_blocked,
    "getBlack": _blocklist,
    "qrySubData": _status_of,
    "updUserSub": _subscribe,
}
NOTHING_NEW: dict[str, Callable[[int], Any]] = {
    "pullEventChange": lambda now: messages.Changes(version=now, hasNext=False),
    "pullModifyMsg": lambda now: messages.Modifications(version=now, finished=True),
    "pullSeAtts": lambda now: messages.Settings(version=1),
    "pullUS": lambda now: messages.UserSettings(version=1),
    "qAppBot": lambda now: messages.Nothing(),
    "reportsdk": lambda now: messages.Nothing(),
}
