"""The messages of this process's clients. Calls that arrive together are one statement."""

from collections.abc import Sequence
from functools import partial

from django.utils import timezone

from gateway.batches import Batches
from moderation import sending
from moderation.sending import Draft, Fate, Sent
from users import messages, notices
from users.messages import Receipt, StoredMessage, Unread
from users.models import Notice

AT_ONCE = 100


class Mailbox:
    """Messages between users whom nobody else has locked are sent together. The others wait for
    their locks in batches of their own, so that one that waits long does not delay the rest.
    """

    def __init__(self) -> None:
        self._sending = Batches(partial(_send, wait=False), most=AT_ONCE)
        self._waiting = Batches(partial(_send, wait=True), most=AT_ONCE)
        self._reading = Batches(_undelivered, most=AT_ONCE)
        self._acknowledging = Batches(_acknowledge, most=AT_ONCE)
        self._counting = Batches(_waiting_counts, most=AT_ONCE)
        self._noticing = Batches(_undelivered_notices, most=AT_ONCE)

    async def send(self, draft: Draft) -> Sent:
        """What became of the message. It is stored before this returns."""
        sent = await self._sending.ask(draft)
        return await self._waiting.ask(draft) if sent.fate is Fate.BUSY else sent

    async def undelivered(self, asked: Unread) -> list[StoredMessage]:
        return await self._reading.ask(asked)

    async def acknowledge(self, receipt: Receipt) -> int | None:
        """How many of the messages were waiting; None if the connection has been asked to close."""
        return await self._acknowledging.ask(receipt)

    async def waiting_count(self, connection_id: int) -> int | None:
        """How many messages wait; None if the connection has been asked to close."""
        return await self._counting.ask(connection_id)

    async def undelivered_notices(self, asked: Unread) -> list[Notice]:
        return await self._noticing.ask(asked)


def _send(drafts: Sequence[Draft], *, wait: bool) -> list[Sent]:
    return sending.send(drafts, now=timezone.now(), wait=wait)


def _undelivered(asked: Sequence[Unread]) -> list[list[StoredMessage]]:
    return messages.undelivered(asked, now=timezone.now())


def _acknowledge(receipts: Sequence[Receipt]) -> list[int | None]:
    return messages.acknowledge(receipts, now=timezone.now())


def _waiting_counts(connection_ids: Sequence[int]) -> list[int | None]:
    return messages.waiting_counts(connection_ids, now=timezone.now())


def _undelivered_notices(asked: Sequence[Unread]) -> list[list[Notice]]:
    return notices.undelivered(asked, now=timezone.now())
