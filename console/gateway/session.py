"""One connection, from its first frame to its close code."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.utils import timezone

from console.gateway import calls, protocol
from console.gateway.admission import Admitted, Refused, admit
from console.gateway.database import ask
from console.gateway.floods import Bucket
from console.gateway.protocol import BadFrame, Ending

if TYPE_CHECKING:
    from console.gateway.process import Gateway

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CONNECT_WITHIN = 10  # seconds from the handshake to the first frame
CLOSE_WITHIN = 2  # seconds that a close may take before the socket is dropped
FRAMES_AT_ONCE, FRAMES_A_SECOND = 60, 20
MAX_MISTAKES = 10
# Frames that wait for a client that does not read; further ones drop it.
MAX_OUTGOING = 200
DELIVERED_AT_ONCE = 50


class Session:
    """A client's connection in this process.

    A client that only listens costs one task: a second one exists while there is something to send.
    """

    __slots__ = (
        "_again",
        "_closing",
        "_delivering",
        "_frames",
        "_gateway",
        "_last_given",
        "_mistakes",
        "_outgoing",
        "_receive",
        "_send",
        "_sender",
        "_task",
        "address",
        "admitted",
        "client",
    )

    def __init__(self, gateway: "Gateway", address: str | None, receive: Receive, send: Send):
        self._gateway, self.address = gateway, address
        self._receive, self._send = receive, send
        self._outgoing: deque[dict[str, Any]] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._delivering: asyncio.Task[None] | None = None
        self._again = False
        self._closing: tuple[Ending, dict[str, Any]] | None = None
        self._frames = Bucket(burst=FRAMES_AT_ONCE, rate=FRAMES_A_SECOND)
        self._mistakes = 0
        self._last_given = 0
        self._task = asyncio.current_task()
        self.admitted: Admitted | None = None
        self.client: calls.Client | None = None

    # --- The connection's life ---

    async def run(self) -> None:
        """Admit, then answer frames until one side ends it."""
        ending: Ending | None = None
        said: dict[str, Any] = {}
        try:
            client = await self._connect()
            while True:
                await self._answer(client, await self._next())
        except Refused as refusal:
            ending, said = refusal.ending, _said(str(refusal), refusal.until)
        except _Ended as end:
            ending = end.ending
        except DatabaseError:
            log.exception("the database does not answer")
            ending = protocol.UNAVAILABLE
        except asyncio.CancelledError:
            if self._closing is None:
                raise
            ending, said = self._closing
        finally:
            self._stop()
        if ending is not None:
            await self._close(ending, said)

    async def _next(self) -> dict[str, Any]:
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise _Ended(None)
        return event

    async def _connect(self) -> calls.Client:
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                frame = protocol.parse(await self._next())
            app_key = protocol.string(frame, "app_key", most=64)
            token = protocol.string(frame, "token", most=256)
            device = protocol.string(frame, "device", default="", most=64)
            platform = protocol.string(frame, "platform", default="", most=32)
            after = protocol.whole_number(frame, "after", default=0)
        except (BadFrame, TimeoutError) as error:
            why = str(error) or f"No frame within {CONNECT_WITHIN} seconds"
            raise Refused(protocol.NOT_CONNECTED, f"{why}.") from None
        began = self._gateway.moment()
        admitted = await ask(
            admit,
            app_key=app_key,
            token=token,
            device=device,
            platform=platform,
            address=self.address,
            gateway=self._gateway.row,
            now=timezone.now(),
        )
        client = calls.Client(admitted.environment.pk, admitted.user_id, self.address)
        self.admitted, self.client = admitted, client
        self._gateway.registry.add(self, admitted)
        # Whoever was kicked while the row was written was not yet to be found here.
        if kicked := self._gateway.kicked_since(began, admitted):
            raise _Ended(kicked)
        if after:
            await ask(calls.acknowledge_up_to, client, after)
        self._last_given = after
        self.push(
            {
                "event": "connected",
                "user_id": admitted.user_id,
                "connection": admitted.connection.pk,
            }
        )
        self.deliver()
        return client

    async def _answer(self, client: calls.Client, event: dict[str, Any]) -> None:
        tag: Any = None
        try:
            frame = protocol.parse(event)
            tag = frame.get("id")
            if isinstance(tag, dict | list):
                raise BadFrame("bad_field", "id is a number or a text")
            if not self._frames.take():
                raise BadFrame("too_fast", f"At most {FRAMES_A_SECOND} frames a second")
            answer = {"id": tag, "ok": True, **await ask(calls.answer, client, frame)}
        except calls.CallRefused as refusal:
            answer = {"id": tag, "ok": False, "error": refusal.error, "message": str(refusal)}
        except BadFrame as mistake:
            self._mistakes += 1
            if self._mistakes >= MAX_MISTAKES:
                raise _Ended(protocol.ABUSE) from None
            answer = {"id": tag, "ok": False, "error": mistake.error, "message": str(mistake)}
        self.push(answer)

    def _stop(self) -> None:
        if self.admitted is not None:
            self._gateway.registry.remove(self, self.admitted)
            self._gateway.ended(self.admitted.connection)
        for task in (self._delivering, self._sender):
            if task is not None:
                task.cancel()

    async def _close(self, ending: Ending, said: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                frame = {"event": "closing", "reason": ending.reason, **said}
                await self._send({"type": "websocket.send", "text": protocol.text(frame)})
                await self._send(
                    {"type": "websocket.close", "code": ending.code, "reason": ending.reason}
                )
        except (TimeoutError, OSError, RuntimeError):
            log.debug("a client did not wait for its close code")

    # --- Asked for from outside, on the event loop ---

    def end(self, ending: Ending, until: datetime | None = None) -> None:
        """Close from our side."""
        if self._closing is None and self._task is not None:
            self._closing = (ending, _said("", until))
            self._task.cancel()

    def push(self, frame: dict[str, Any]) -> None:
        """Send soon, in order; a client that has not read the last `MAX_OUTGOING` is dropped."""
        if len(self._outgoing) >= MAX_OUTGOING:
            self.end(protocol.SLOW_READER)
            return
        self._outgoing.append(frame)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_outgoing())

    async def _send_outgoing(self) -> None:
        try:
            while self._outgoing:
                frame = self._outgoing.popleft()
                await self._send({"type": "websocket.send", "text": protocol.text(frame)})
        except OSError:
            log.debug("a client went away while it was written to")
        finally:
            self._sender = None

    def deliver(self) -> None:
        """Give out what waits for the user."""
        self._again = True
        if self._delivering is None and self.client is not None:
            self._delivering = asyncio.create_task(self._deliver_waiting(self.client))

    async def _deliver_waiting(self, client: calls.Client) -> None:
        try:
            while self._again:
                self._again = False
                waiting = await ask(calls.waiting, client, self._last_given, DELIVERED_AT_ONCE)
                for message in waiting:
                    self._last_given = message.pk
                    self.push(
                        {
                            "event": "message",
                            "message_id": message.pk,
                            "from": message.sender_id,
                            "body": message.body,
                            "sent_at": message.sent_at.isoformat(),
                        }
                    )
                if len(waiting) == DELIVERED_AT_ONCE:
                    self._again = True
                    while self._sender is not None:  # at the client's pace, not ours
                        await asyncio.wait([self._sender])
        except DatabaseError:
            log.exception("what waits for a user cannot be read; the next look finds it")
        finally:
            self._delivering = None


class _Ended(Exception):
    """The connection is over; None where the client itself has closed it."""

    def __init__(self, ending: Ending | None):
        super().__init__()
        self.ending = ending


def _said(explanation: str, until: datetime | None) -> dict[str, Any]:
    said: dict[str, Any] = {"message": explanation} if explanation else {}
    return {**said, "until": until.isoformat()} if until is not None else said
