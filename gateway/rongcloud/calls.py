"""What the client's messages and queries do: their payloads, and the payloads of the answers.

Each function runs in a thread. An exception of the domain becomes a code of `words`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway import calls, protobuf
from gateway.calls import Client, MessageRefused
from gateway.protobuf import Malformed
from gateway.rongcloud import statuses, words
from gateway.rongcloud.frames import NotSupported, Received, messages, milliseconds
from moderation.lists import MAX_ENTRIES
from users import identity
from users.models import Message

TEXT = "RC:TxtMsg"
PULLED_AT_ONCE = 50
KEPT_AND_COUNTED = 48  # bits of a message's status
WAITING = 1  # the type of a notification
PERSON, FROM_OTHERS = 1, 2  # of a conversation's type and a message's direction


class NotOnBlocklist(Exception):
    """The user that the client asks about is not on its blocklist."""


_REFUSALS: tuple[type[Exception], ...] = (
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


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message. `message` is None if it was not stored."""

    status: int
    message: Message | None = None


def send(client: Client, request: Received, attempt: str) -> Sent:
    """`attempt` is the client's id for the message if it does not give one."""
    try:
        return Sent(words.OK, _send(client, request, attempt))
    except _REFUSALS as error:
        return Sent(_code(error))


def _send(client: Client, request: Received, attempt: str) -> Message:
    if request.topic != "ppMsgP":
        raise NotSupported
    sent = protobuf.read(messages.UpStreamMessage, request.payload)
    if sent.classname != TEXT:
        raise NotSupported
    return calls.send(
        client,
        recipient_id=identity.check_user_id(request.target),
        client_id=f"{sent.clientUniqueId:x}" if sent.HasField("clientUniqueId") else attempt,
        body=_text_of(sent.content),
    )


def _text_of(content: str) -> str:
    """The text in the JSON of a text message."""
    try:
        text = json.loads(content)["content"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise Malformed("not the content of a text message") from None
    if not isinstance(text, str):
        raise Malformed("not a text")
    return text


# --- Messages that wait ---


def cursor_of(payload: bytes) -> int:
    """Up to where the client has its messages. Raises `Malformed`."""
    return max(0, int(protobuf.read(messages.SyncRequestMsg, payload).syncTime))


def pull(client: Client, received: int, after: int) -> Sequence[Message]:
    """Acknowledge the messages up to `received`; return the next after `after`."""
    if received:
        calls.acknowledge_up_to(client, received)
    return calls.undelivered(client, after, PULLED_AT_ONCE)


def pulled(found: Sequence[Message], cursor: int) -> bytes:
    """The answer to a pull. If there are messages, the client asks again at once."""
    return _bytes(
        messages.DownStreamMessages(
            list=[
                messages.DownStreamMessage(
                    fromUserId=message.sender_id,
                    type=PERSON,
                    classname=TEXT,
                    content=json.dumps({"content": message.body}, ensure_ascii=False),
                    dataTime=milliseconds(message.sent_at),
                    status=KEPT_AND_COUNTED,
                    msgId=str(message.pk),
                    direction=FROM_OTHERS,
                )
                for message in found
            ],
            syncTime=cursor,
            finished=not found,
        )
    )


def something_waits(now: int) -> bytes:
    """The payload of a notification; `now` in milliseconds."""
    return _bytes(messages.NotifyMsg(type=WAITING, time=now))


# --- Queries ---


def answer(client: Client, request: Received, now: datetime) -> Answer:
    """The answer to a query of `QUERIES`."""
    try:
        return Answer(payload=QUERIES[request.topic](client, request, now))
    except NotOnBlocklist:
        return Answer(words.NOT_ON_BLOCKLIST)
    except _REFUSALS as error:
        return Answer(_code(error))


def answer_nothing(request: Received, now: datetime) -> Answer:
    """The answer to a query for something that is not kept here. Those that the SDK makes by
    itself after connecting are told that there is nothing new.
    """
    nothing = NOTHING_NEW.get(request.topic)
    if nothing is None:
        return Answer(words.NOT_SUPPORTED)
    return Answer(payload=_bytes(nothing(milliseconds(now))))


def _code(error: Exception) -> int:
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
