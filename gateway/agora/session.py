"""A connection that speaks MSync."""

import itertools
import logging
import time
from collections.abc import Collection
from typing import NamedTuple

from django.db import Error
from django.utils import timezone

from gateway.admission import Refused
from gateway.agora import calls, frames, words, writing
from gateway.agora.frames import Command, Fetch
from gateway.calls import (
    Client,
    ConnectionClosing,
    acknowledge,
    acknowledge_notices,
    subscribed,
    undelivered,
    undelivered_notices,
    waiting_count,
)
from gateway.closings import Closing, Farewell, Reason
from gateway.connecting import ConnectRequest, Handshake
from gateway.database import run_in_thread
from gateway.inbound import Frame
from gateway.protobuf import Malformed
from gateway.session import Session
from users.models import Notice

log = logging.getLogger(__name__)

AT_ONCE = 20  # messages, and as many notices, in a batch
# A client ignores a batch with the key of the one before, even over another connection. Counting
# from the time in microseconds, no two processes give a client the same key.
_keys = itertools.count(time.time_ns() // 1_000)


class Batch(NamedTuple):
    """What the client has been sent and has not acknowledged yet."""

    key: int
    message_ids: list[int]
    notice_ids: list[int]


class AgoraSession(Session):
    """Messages are pushed in batches. The next batch follows when the client has acknowledged the
    last one, so only one is in memory.

    After its login a client asks once how much is unread, and then for it. Nothing is pushed before
    that: the app is told when the client begins and ends to fetch what waited.
    """

    MAX_FRAME_BYTES = 32_768

    __slots__ = (
        "_app_name",
        "_batch",
        "_changed",
        "_has_asked",
        "_has_notices",
        "_is_fetching",
        "_last_notice",
        "_resource",
        "_writer",
    )

    async def connect_request(self, handshake: Handshake) -> ConnectRequest:
        self._batch: Batch | None = None
        self._has_asked = self._is_fetching = False
        self._has_notices, self._last_notice = True, 0
        self._changed: frozenset[str] = frozenset()
        try:
            login = frames.login(await self.next_frame())
        except Malformed as error:
            raise Refused(Reason.NO_CONNECT_FRAME, f"{error}.") from None
        self._app_name, self._resource = login.app_name, login.resource
        return await run_in_thread(calls.connect_request, login, now=timezone.now())

    def say_connected(self, client: Client) -> None:
        self._writer = writing.Writer(self._app_name, client.user_id)
        self.put(self._writer.admitted(self._resource))

    async def answer(self, client: Client, frame: Frame) -> None:
        try:
            command, payload = frames.command(frame)
            match command:
                case Command.UNREAD:
                    await self._say_unread(client)
                case Command.SYNC:
                    await self._sync(client, frames.sync(payload))
                case Command.LOGOUT:
                    pass  # the client closes the socket next
                case _:
                    raise Malformed("A connected client does not send this")
        except Malformed:
            self.count_mistake()
        except ConnectionClosing:
            pass
        except Error:
            log.exception("the database does not answer")

    async def _say_unread(self, client: Client) -> None:
        if self._has_asked:
            # A heartbeat, half a minute after the client's last frame. What waits has been pushed;
            # a batch that is still not acknowledged failed in the client's page. It comes again
            # with the next connection, and what follows it need not wait for that.
            self.put(self._writer.unread(0, timezone.now()))
            if self._batch is not None:
                self._batch = None
                self.deliver()
            return
        count = await waiting_count(client)
        self.put(self._writer.unread(count, timezone.now()))
        if not count:
            self._has_asked = True
            self.deliver()

    async def _sync(self, client: Client, received: frames.Received | Fetch) -> None:
        if not isinstance(received, Fetch):
            answer = await calls.answer(client, received, resource=self._resource)
            if answer is not None:
                self.put(answer)
            return
        self._has_asked = self._is_fetching = True
        if self._batch is not None and received.key == self._batch.key:
            batch, self._batch = self._batch, None
            if batch.message_ids:
                await acknowledge(client, batch.message_ids)
            if batch.notice_ids:
                await run_in_thread(acknowledge_notices, client, batch.notice_ids)
        self.deliver()

    # --- Delivering ---

    def notify(self) -> None:
        self._has_notices = True
        self.deliver()

    def presence_changed(self, about_ids: Collection[str]) -> None:
        self._changed = self._changed.union(about_ids)
        self.deliver()

    async def deliver_waiting(self, client: Client) -> bool:
        if self._changed and self._has_asked:
            changed, self._changed = self._changed, frozenset()
            for each in await run_in_thread(subscribed, client, changed):
                self.put(self._writer.presence(next(_keys), each, timezone.now()))
        if not self._has_asked or self._batch is not None:
            return False
        waiting = await undelivered(client, self.last_sent, AT_ONCE)
        noticed = await self._waiting_notices(client)
        now = timezone.now()
        if waiting or noticed:
            self.last_sent = max([self.last_sent, *(each.pk for each in waiting)])
            self._last_notice = max([self._last_notice, *(each.pk for each in noticed)])
            self._batch = Batch(
                next(_keys), [each.pk for each in waiting], [each.pk for each in noticed]
            )
            metas = [
                *(self._writer.message(each) for each in waiting),
                *(self._writer.notice(each) for each in noticed),
            ]
            self.put(self._writer.batch(metas, key=self._batch.key, now=now))
            await self.drained()
        elif self._is_fetching:
            self._is_fetching = False
            self.put(self._writer.emptied(now))
        return False

    async def _waiting_notices(self, client: Client) -> list[Notice]:
        if not self._has_notices:
            return []
        self._has_notices = False
        found = await undelivered_notices(client, self._last_notice, AT_ONCE)
        self._has_notices |= len(found) == AT_ONCE
        return found

    def farewell(self, closing: Closing) -> Farewell:
        """Without a frame the client takes the line for broken, and comes back by itself."""
        said: tuple[Frame, ...] = ()
        if not self.is_connected and closing.reason in words.LOGINS:
            said = (writing.refused(*words.LOGINS[closing.reason]),)
        elif self.is_connected and closing.reason in words.CLOSINGS:
            said = (self._writer.put_out(words.CLOSINGS[closing.reason], timezone.now()),)
        return Farewell(said, 1000, closing.reason)
