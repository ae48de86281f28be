"""Frames of MSync, the protocol of Agora Chat's clients.

A binary WebSocket frame is one `MSync` message (`msync.proto`). Its payload is another message,
chosen by the command; a `Meta` in it has a payload of its own, chosen by its namespace.

Invariants
----------
* Whatever a client sends is read, or raises `Malformed`. A message has at most as many parts as its
  bytes allow, and the server bounds these.
* The addresses in a message to a client are written here. What a client wrote about itself is
  never passed on.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path

from gateway import protobuf
from gateway.outbox import Frame
from gateway.protobuf import Malformed, Message
from users.models import Message as StoredMessage
from users.models import Notice, NoticeKind
from users.statuses import Shown

_types = protobuf.classes(Path(__file__).with_name("msync.proto"))
_DOMAIN = "easemob.com"


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
_BODY_TYPES = {kind: type for type, kind in RECEIPTS.items()}
_ROSTER = {
    NoticeKind.FRIEND_REQUESTED: Roster.INVITED,
    NoticeKind.FRIEND_ACCEPTED: Roster.AGREED,
    NoticeKind.FRIEND_ADDED: Roster.ADDED,
    NoticeKind.FRIEND_DECLINED: Roster.DECLINED,
    NoticeKind.FRIEND_REMOVED: Roster.REMOVED,
}
# Messages and notices share the ids of metas.
_FIRST_NOTICE = 1 << 52


class PutOut(IntEnum):
    """Why a client is put out; it does not come back by itself."""

    REMOVED = 1
    OTHER_DEVICE = 2
    PASSWORD_CHANGED = 3
    FORCED = 4


# --- From clients -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Login:
    app_name: str  # ORG#APP
    user_name: str
    token: str
    device_uuid: str
    device_name: str
    resource: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a client: a text, a receipt, or something else. `id` is its own id of it."""

    id: int
    namespace: int
    recipient: str
    text: str | None = None
    receipt: NoticeKind | None = None
    about_id: int = 0  # the message that a receipt is for


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
    return protobuf.read(_types.MSync, frame)


def login(first: Frame) -> Login:
    """The first frame. Raises `Malformed`."""
    frame = _outer(first)
    if frame.command != Command.PROVISION:
        raise Malformed("The first frame is not PROVISION")
    provision = protobuf.read(_types.Provision, frame.payload)
    return Login(
        app_name=frame.guid.app_name,
        user_name=frame.guid.name,
        token=frame.auth.removeprefix(_TOKEN_PREFIX),
        device_uuid=provision.device_uuid,
        device_name=provision.device_name,
        resource=provision.resource,
    )


def sync(payload: bytes) -> Received | Fetch:
    """The payload of SYNC. Raises `Malformed`."""
    message = protobuf.read(_types.SyncUp, payload)
    if not message.HasField("meta"):
        return Fetch(message.key)
    meta = message.meta
    if meta.namespace != Namespace.CHAT:
        return Received(meta.id, meta.namespace, meta.recipient.name)
    body = protobuf.read(_types.MessageBody, meta.payload)
    return Received(
        meta.id,
        meta.namespace,
        meta.recipient.name,
        _text(body),
        RECEIPTS.get(body.type),
        body.about_id,
    )


def _text(body: Message) -> str | None:
    """The text, if the message is one and nothing else."""
    if body.type != BodyType.CHAT or len(body.contents) != 1:
        return None
    [content] = body.contents
    is_text = content.type == ContentType.TEXT and not content.HasField("sub_type")
    return content.text if is_text else None


# --- To clients ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Writer:
    """Writes frames to one user of an app."""

    app_name: str
    user_id: str

    def admitted(self, resource: str) -> bytes:
        provision = _types.Provision(status=_types.Status(code=0), resource=resource)
        return _frame(Command.PROVISION, provision)

    def unread(self, count: int, now: datetime) -> bytes:
        """How many messages wait. The client then asks for them."""
        answer = _types.UnreadDown(status=_types.Status(code=0), timestamp=_milliseconds(now))
        if count:
            answer.unread.add(queue=self.address(self.user_id), count=count)
        return _frame(Command.UNREAD, answer)

    def batch(self, metas: Iterable[Message], *, key: int, now: datetime) -> bytes:
        """Messages. The client sends `key` when it has them; it ignores the key of the last one."""
        return self._down(self.user_id, now, metas=metas, next_key=key)

    def emptied(self, now: datetime) -> bytes:
        """Nothing more waits."""
        return self._down(self.user_id, now, is_last=True)

    def put_out(self, why: PutOut, now: datetime) -> bytes:
        body = _types.StatisticsBody(operation=why)
        meta = self._meta(
            _milliseconds(now), self.user_id, now, Namespace.STATISTIC, body.SerializeToString()
        )
        return self._down(self.user_id, now, metas=[meta], is_last=True)

    def message(self, message: StoredMessage) -> Message:
        content = _types.Content(type=ContentType.TEXT, text=message.body)
        return self._message(
            message.pk, message.sender_id, message.sent_at, type=BodyType.CHAT, contents=[content]
        )

    def notice(self, notice: Notice) -> Message:
        """A receipt for a message, or what a contact did."""
        id, kind = _FIRST_NOTICE + notice.pk, NoticeKind(notice.kind)
        if kind in _BODY_TYPES:
            return self._message(
                id,
                notice.sender_id,
                notice.posted_at,
                type=_BODY_TYPES[kind],
                about_id=notice.message_id,
            )
        body = _types.RosterBody(
            operation=_ROSTER[kind],
            status=_types.Status(code=0),
            sender=self.address(notice.sender_id),
            recipients=[self.address(self.user_id)],
            reason=notice.text,
        )
        return self._meta(
            id, notice.sender_id, notice.posted_at, Namespace.ROSTER, body.SerializeToString()
        )

    def presence(self, id: int, shown: Shown, now: datetime) -> bytes:
        """One user only: clients mix up the devices of several. The client acknowledges nothing."""
        value = {
            "uid": shown.user_id,
            "last_time": _seconds(shown.seen_at),
            "expiry": _seconds(shown.expires_at),
            "ext": shown.text,
            "status": shown.devices,
        }
        told = json.dumps({"type": "presence", "data": {"values": [value]}}, ensure_ascii=False)
        meta = self._meta(id, shown.user_id, now, Namespace.NOTIFY)
        meta.payload = told.encode()
        return self._down(shown.user_id, now, metas=[meta], is_last=True)

    def address(self, name: str) -> Message:
        return _types.Address(app_name=self.app_name, name=name, domain=_DOMAIN)

    def _message(self, id: int, sender: str, sent_at: datetime, **body: object) -> Message:
        """The client shows the names in the body, not those in the meta."""
        sides = {"sender": {"name": sender}, "recipient": {"name": self.user_id}}
        return self._meta(
            id,
            sender,
            sent_at,
            Namespace.CHAT,
            _types.MessageBody(**sides, **body).SerializeToString(),
        )

    def _meta(
        self, id: int, sender: str, at: datetime, namespace: Namespace, body: Message | None = None
    ) -> Message:
        return _types.Meta(
            id=id,
            sender=self.address(sender),
            recipient=self.address(self.user_id),
            timestamp=_milliseconds(at),
            namespace=namespace,
            payload=body.SerializeToString() if body is not None else b"",
        )

    def _down(self, queue: str, now: datetime, **fields: object) -> bytes:
        return _frame(
            Command.SYNC,
            _types.SyncDown(
                status=_types.Status(code=0),
                queue=self.address(queue),
                timestamp=_milliseconds(now),
                **fields,
            ),
        )


def refused(code: int, reason: str) -> bytes:
    """The answer to a login."""
    status = _types.Status(code=code, reason=reason)
    return _frame(Command.PROVISION, _types.Provision(status=status, resource=""))


def stored(meta_id: int, server_id: int, sent_at: datetime) -> bytes:
    """The answer to a message or receipt; `server_id` is our id of it."""
    answer = _types.SyncDown(
        status=_types.Status(code=0),
        meta_id=meta_id,
        server_id=server_id,
        timestamp=_milliseconds(sent_at),
    )
    return _frame(Command.SYNC, answer)


def rejected(meta_id: int, code: int, reason: str, now: datetime) -> bytes:
    """The answer to a message that is refused."""
    answer = _types.SyncDown(
        status=_types.Status(code=code, reason=reason),
        meta_id=meta_id,
        timestamp=_milliseconds(now),
    )
    return _frame(Command.SYNC, answer)


def _frame(command: Command, payload: Message) -> bytes:
    frame = _types.MSync(version=0, command=command, payload=payload.SerializeToString())
    data: bytes = frame.SerializeToString()
    return data


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _seconds(moment: datetime | None) -> str:
    return str(int(moment.timestamp())) if moment is not None else "0"
