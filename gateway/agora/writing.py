"""Writes frames of MSync to clients.

Invariant: every address in a frame is written here. What a client wrote about itself is not passed
on to another.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from applications.unix_time import milliseconds
from gateway.agora import attributes
from gateway.agora.frames import (
    RECEIPTS,
    BodyType,
    Command,
    ContentType,
    Namespace,
    PutOut,
    Roster,
    types,
)
from gateway.protobuf import Message
from users import extras
from users.messages import StoredMessage
from users.models import Notice, NoticeKind
from users.statuses import Shown

_DOMAIN = "easemob.com"
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


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes frames to one user of an app."""

    app_name: str
    user_id: str

    def admitted(self, resource: str) -> bytes:
        provision = types.Provision(status=types.Status(code=0), resource=resource)
        return _frame(Command.PROVISION, provision)

    def unread(self, count: int, now: datetime) -> bytes:
        """How many messages wait. The client then asks for them."""
        answer = types.UnreadDown(status=types.Status(code=0), timestamp=milliseconds(now))
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
        body = types.StatisticsBody(operation=why)
        meta = self._meta(
            milliseconds(now), self.user_id, now, Namespace.STATISTIC, body.SerializeToString()
        )
        return self._down(self.user_id, now, metas=[meta], is_last=True)

    def message(self, message: StoredMessage) -> Message:
        """A text to the user, or one that the user has written on another device."""
        content = types.Content(type=ContentType.TEXT, text=message.body)
        return self._message(
            message.pk,
            message.sender_id,
            message.recipient_id,
            message.sent_at,
            type=BodyType.CHAT,
            contents=[content],
            ext=attributes.write(extras.unpack(message.extra).members),
        )

    def notice(self, notice: Notice) -> Message:
        """A receipt for a message, or what a contact did."""
        id, kind = _FIRST_NOTICE + notice.pk, NoticeKind(notice.kind)
        if kind in _BODY_TYPES:
            return self._message(
                id,
                notice.sender_id,
                self.user_id,
                notice.posted_at,
                type=_BODY_TYPES[kind],
                # An SDK that has seen a receipt before looks into its content, or fails.
                contents=[types.Content(type=ContentType.TEXT)],
                about_id=notice.message_id,
            )
        body = types.RosterBody(
            operation=_ROSTER[kind],
            status=types.Status(code=0),
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
        meta = self._meta(id, shown.user_id, now, Namespace.NOTIFY, told.encode())
        return self._down(shown.user_id, now, metas=[meta], is_last=True)

    def address(self, name: str) -> Message:
        return types.Address(app_name=self.app_name, name=name, domain=_DOMAIN)

    def _message(
        self, id: int, sender: str, recipient: str, sent_at: datetime, **body: object
    ) -> Message:
        """The client shows the names in the body, not those in the meta."""
        sides = {"sender": {"name": sender}, "recipient": {"name": recipient}}
        payload = types.MessageBody(**sides, **body).SerializeToString()
        return self._meta(id, sender, sent_at, Namespace.CHAT, payload, recipient)

    def _meta(
        self,
        id: int,
        sender: str,
        at: datetime,
        namespace: Namespace,
        payload: bytes,
        recipient: str = "",
    ) -> Message:
        """To the user, if no other recipient is named."""
        return types.Meta(
            id=id,
            sender=self.address(sender),
            recipient=self.address(recipient or self.user_id),
            timestamp=milliseconds(at),
            namespace=namespace,
            payload=payload,
        )

    def _down(self, queue: str, now: datetime, **fields: object) -> bytes:
        return _frame(
            Command.SYNC,
            types.SyncDown(
                status=types.Status(code=0),
                queue=self.address(queue),
                timestamp=milliseconds(now),
                **fields,
            ),
        )


def refused(code: int, reason: str) -> bytes:
    """The answer to a login."""
    status = types.Status(code=code, reason=reason)
    return _frame(Command.PROVISION, types.Provision(status=status, resource=""))


def stored(meta_id: int, server_id: int, sent_at: datetime) -> bytes:
    """The answer to a message or receipt; `server_id` is our id of it."""
    answer = types.SyncDown(
        status=types.Status(code=0),
        meta_id=meta_id,
        server_id=server_id,
        timestamp=milliseconds(sent_at),
    )
    return _frame(Command.SYNC, answer)


def rejected(meta_id: int, code: int, reason: str, now: datetime) -> bytes:
    """The answer to a message that is refused."""
    answer = types.SyncDown(
        status=types.Status(code=code, reason=reason),
        meta_id=meta_id,
        timestamp=milliseconds(now),
    )
    return _frame(Command.SYNC, answer)


def _frame(command: Command, payload: Message) -> bytes:
    frame = types.MSync(version=0, command=command, payload=payload.SerializeToString())
    data: bytes = frame.SerializeToString()
    return data


def _seconds(moment: datetime | None) -> str:
    return str(int(moment.timestamp())) if moment is not None else "0"
