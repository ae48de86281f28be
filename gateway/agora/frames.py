"""Frames of MSync, the protocol of Agora Chat's clients; this module reads them, `writing` writes
them.

A binary WebSocket frame is one `MSync` message (`msync.proto`). Its payload is another message,
chosen by the command; a `Meta` in it has a payload of its own, chosen by its namespace.

Invariant: whatever a client sends is read, or raises `Malformed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from gateway import protobuf
from gateway.inbound import Frame
from gateway.protobuf import Malformed, Message
from users.models import NoticeKind

types = protobuf.classes(Path(__file__).with_name("msync.proto"))


class Command(IntEnum):
    SYNC = 0
    UNREAD = 1
    NOTICE = 2
    PROVISION = 3
    LOGOUT = 4


class Namespace(IntEnum):
    """What the payload of a `Meta` is."""

    STATISTIC = 0
    CHAT = 1
    ROSTER = 3
    NOTIFY = 5


class BodyType(IntEnum):
    CHAT = 1
    READ = 4
    RECEIVED = 5


class ContentType(IntEnum):
    TEXT = 0


class Roster(IntEnum):
    """What happened between a user and a contact."""

    INVITED = 2
    REMOVED = 3
    ADDED = 4
    AGREED = 8  # to the user who had asked
    DECLINED = 9


RECEIPTS = {BodyType.RECEIVED: NoticeKind.RECEIVED, BodyType.READ: NoticeKind.READ}


class PutOut(IntEnum):
    """Why a client is put out; it does not come back by itself."""

    REMOVED = 1
    OTHER_DEVICE = 2
    PASSWORD_CHANGED = 3
    FORCED = 4


@dataclass(frozen=True, slots=True)
class Login:
    app_name: str  # ORG#APP
    user_name: str
    token: str
    resource: str  # the client's name of its device


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a client: a text, a receipt, or something else. `id` is its own id of it."""

    id: int
    namespace: int
    recipient: str
    text: str | None = None
    receipt: NoticeKind | None = None
    about_id: int = 0  # the message that a receipt is for
    attributes: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """Asks for what waits in a queue. `key` is that of the last batch, which it has now; or 0."""

    key: int


_TOKEN_PREFIX = "$t$"  # noqa: S105


def command(frame: Frame) -> tuple[int, bytes]:
    """The command and the payload of a frame. Raises `Malformed`."""
    outer = _outer(frame)
    return outer.command, outer.payload


def _outer(frame: Frame) -> Message:
    if isinstance(frame, str):
        raise Malformed("Frames are binary, not text")
    return protobuf.read(types.MSync, frame)


def login(first: Frame) -> Login:
    """The first frame. Raises `Malformed`."""
    frame = _outer(first)
    if frame.command != Command.PROVISION:
        raise Malformed("The first frame is not PROVISION")
    provision = protobuf.read(types.Provision, frame.payload)
    return Login(
        app_name=frame.guid.app_name,
        user_name=frame.guid.name,
        token=frame.auth.removeprefix(_TOKEN_PREFIX),
        resource=provision.resource,
    )


def sync(payload: bytes) -> Received | Fetch:
    """The payload of SYNC. Raises `Malformed`."""
    message = protobuf.read(types.SyncUp, payload)
    if not message.HasField("meta"):
        return Fetch(message.key)
    meta = message.meta
    if meta.namespace != Namespace.CHAT:
        return Received(meta.id, meta.namespace, meta.recipient.name)
    body = protobuf.read(types.MessageBody, meta.payload)
    return Received(
        meta.id,
        meta.namespace,
        meta.recipient.name,
        _text(body),
        RECEIPTS.get(body.type),
        body.about_id,
        body.ext,
    )


def _text(body: Message) -> str | None:
    """The text, if the message is one and nothing else."""
    if body.type != BodyType.CHAT or len(body.contents) != 1:
        return None
    [content] = body.contents
    is_text = content.type == ContentType.TEXT and not content.HasField("sub_type")
    return content.text if is_text else None
