"""What waits for the client, from question to question.

Invariants
----------
* Messages are given in the order of their keys. A client that was given some asks again at once,
  and says with its cursor that it has them: then they are acknowledged.
* Whatever the client's cursor says, it acknowledges messages of its own user only.
* Read receipts are given together with messages, and acknowledged in the same way. Other notices
  are left for clients of other protocols.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from applications.unix_time import milliseconds
from gateway import calls, protobuf
from gateway.calls import Client
from gateway.database import run_in_thread
from gateway.rongcloud import attributes
from gateway.rongcloud.calls import READ_RECEIPT, TEXT
from gateway.rongcloud.frames import messages
from users.messages import StoredMessage
from users.models import Notice, NoticeKind

AT_ONCE = 50
# A cursor from here on is a time in milliseconds; the keys of messages stay below.
TIMES_FROM = 10**12
PERSON = 1  # the type of a conversation
OWN, FROM_OTHERS = 1, 2  # the direction of a message
WAITING = 1  # the type of a notification


class Inbox:
    """Has been asked or not; a client asks for the first time by itself."""

    __slots__ = (
        "_asks_with_times",
        "_given",
        "_has_notices",
        "_last_id",
        "_last_notice",
        "_last_time",
        "_receipts",
        "was_asked",
    )

    def __init__(self, *, asks_with_times: bool) -> None:
        self._asks_with_times = asks_with_times
        self.was_asked = False
        # The messages of the last answer, and of the last answer that had some.
        self._given: Sequence[int] = ()
        self._last_id = self._last_time = 0
        # The read receipts of the last answer, and how far notices have been looked through.
        self._receipts: Sequence[int] = ()
        self._has_notices, self._last_notice = True, 0

    def notify(self) -> None:
        """There may be new notices."""
        self._has_notices = True

    def something_waits(self, now: datetime) -> bytes:
        """The payload of a notification. Its time is later than all that was given."""
        later = max(milliseconds(now), self._last_time + 1)
        return _bytes(messages.NotifyMsg(type=WAITING, time=later))

    async def answer(self, client: Client, payload: bytes) -> bytes:
        """Acknowledge what the client has, and give it what comes next. Raises `Malformed`."""
        cursor = max(0, int(protobuf.read(messages.SyncRequestMsg, payload).syncTime))
        is_first, self.was_asked = not self.was_asked, True
        in_time = self._asks_with_times or cursor >= TIMES_FROM
        await self._acknowledge(client, cursor, in_time=in_time, is_first=is_first)
        after = self._last_id if in_time else cursor
        found = await calls.undelivered(client, after, AT_ONCE)
        receipts = await self._new_receipts(client)
        self._given = tuple(each.pk for each in found)
        if found:
            self._last_id = self._given[-1]
            self._last_time = max(milliseconds(each.sent_at) for each in found)
            cursor = max(cursor, self._last_time) if in_time else self._last_id
        listed = [*(_message(each, client.user_id) for each in found), *receipts]
        return _bytes(
            messages.DownStreamMessages(list=listed, syncTime=cursor, finished=not listed)
        )

    async def _acknowledge(
        self, client: Client, cursor: int, *, in_time: bool, is_first: bool
    ) -> None:
        given, self._given = self._given, ()
        receipts, self._receipts = self._receipts, ()
        if given and cursor >= (self._last_time if in_time else self._last_id):
            await calls.acknowledge(client, given)
        elif is_first and cursor and not in_time:
            await run_in_thread(calls.acknowledge_up_to, client, cursor)
        if receipts:
            await run_in_thread(calls.acknowledge_notices, client, receipts)

    async def _new_receipts(self, client: Client) -> list[Any]:
        if not self._has_notices:
            return []
        self._has_notices = False
        found = await calls.undelivered_notices(client, self._last_notice, AT_ONCE)
        if not found:
            return []
        self._last_notice = found[-1].pk
        self._has_notices |= len(found) == AT_ONCE
        read = [each for each in found if each.kind == NoticeKind.READ]
        self._receipts = tuple(each.pk for each in read)
        sent = await run_in_thread(calls.sent_times, client, [each.message_id for each in read])
        return [_receipt(each, sent[each.message_id]) for each in read if each.message_id in sent]


def _message(message: StoredMessage, user_id: str) -> Any:
    """A text to the user, or one that the user has written on another device. The SDK wants the
    other side in both.
    """
    is_own = message.recipient_id != user_id
    return messages.DownStreamMessage(
        fromUserId=message.recipient_id if is_own else message.sender_id,
        type=PERSON,
        classname=TEXT,
        dataTime=milliseconds(message.sent_at),
        msgId=str(message.pk),
        direction=OWN if is_own else FROM_OTHERS,
        **attributes.written(message),
    )


def _receipt(notice: Notice, sent_at: datetime) -> Any:
    return messages.DownStreamMessage(
        fromUserId=notice.sender_id,
        type=PERSON,
        classname=READ_RECEIPT,
        content=attributes.as_json(
            {
                "messageUId": str(notice.message_id),
                "lastMessageSendTime": milliseconds(sent_at),
                "type": PERSON,
            }
        ),
        dataTime=milliseconds(notice.posted_at),
        status=0,
        msgId=f"notice-{notice.pk}",
        direction=FROM_OTHERS,
    )


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())
