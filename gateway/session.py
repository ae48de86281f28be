"""One connection, from its first frame to its close code."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.utils import timezone

from gateway import calls, protocol
from gateway.admission import Refused, admit, read_token
from gateway.calls import Client
from gateway.database import ask
from gateway.floods import Bucket
from gateway.outbox import Outbox, Send
from gateway.protocol import BadFrame, Ending
from users import presence
from users.presence import Kick

if TYPE_CHECKING:
    from gateway.process import Gateway

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]

CONNECT_WITHIN = 10  # seconds from the handshake to the first frame
CLOSE_WITHIN = 2  # seconds that a close may take before the socket is dropped
FRAMES_AT_ONCE, FRAMES_A_SECOND = 60, 20
MISTAKES_AT_ONCE, MISTAKES_A_SECOND = 10, 0.1
DELIVERED_AT_ONCE = 50


class Session:
    """A client's connection in this process.

    A client that only listens costs one task: others exist while there is something to give out.
    """

    __slots__ = (
        "_again",
        "_client",
        "_closing",
        "_delivering",
        "_frames",
        "_gateway",
        "_is_kicked",
        "_is_welcomed",
        "_last_given",
        "_mistakes",
        "_outbox",
        "_receive",
        "_send",
        "_task",
    )

    def __init__(self, gateway: "Gateway", receive: Receive, send: Send):
        self._gateway, self._receive, self._send = gateway, receive, send
        self._outbox = Outbox(send)
        self._delivering: asyncio.Task[None] | None = None
        self._again = False
        self._closing: tuple[Ending, dict[str, Any]] | None = None
        self._frames = Bucket(burst=FRAMES_AT_ONCE, rate=FRAMES_A_SECOND)
        self._mistakes = Bucket(burst=MISTAKES_AT_ONCE, rate=MISTAKES_A_SECOND)
        self._last_given = 0
        self._is_kicked = self._is_welcomed = False
        self._task = asyncio.current_task()
        self._client: Client | None = None

    # --- The connection's life ---

    async def run(self, address: str | None) -> None:
        """Admit, then answer frames until one side ends it."""
        ending: Ending | None = None
        details: dict[str, Any] = {}
        try:
            client = await self._connect(address)
            while True:
                await self._answer(client, await self._next())
        except Refused as refusal:
            ending = refusal.ending
            details = protocol.members(
                message=str(refusal), until=refusal.until, why=refusal.why or None
            )
        except _Ended as end:
            ending, details = end.ending, end.details
        except asyncio.CancelledError:
            if self._closing is None:
                raise
            ending, details = self._closing
        except Error:
            log.exception("the database does not answer")
            ending = protocol.UNAVAILABLE
        except Exception:
            log.exception("a connection failed")
            ending = protocol.INTERNAL_ERROR
        finally:
            self._stop()
        try:
            if ending is not None:
                await self._close(ending, details)
        finally:
            self._outbox.stop()

    def end(self, ending: Ending, details: dict[str, Any] | None = None) -> None:
        """Close from our side; for others on the event loop, while the session is registered.
        `details` are further members of the last frame.
        """
        if self._closing is None and self._task is not None:
            self._closing = ending, details or {}
            self._task.cancel()

    def kick(self, kick: Kick) -> None:
        """Close because the user may not be here any more, or was asked to go. What waits to be
        sent is not sent: a deactivated user gets nothing more, and others get it when they return.
        """
        self._is_kicked = True
        self.end(*protocol.farewell(kick))

    def _stop(self) -> None:
        if self._client is not None:
            self._gateway.registry.remove(self, self._client)
            self._gateway.closed.put(self._client.connection_id)
        if self._delivering is not None:
            self._delivering.cancel()
        if self._is_kicked:
            self._outbox.drop()

    async def _close(self, ending: Ending, details: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._outbox.drained()
                frame = {"event": "closing", "reason": ending.reason, **details}
                await self._send({"type": "websocket.send", "text": protocol.text(frame)})
                await self._send(
                    {"type": "websocket.close", "code": ending.code, "reason": ending.reason}
                )
        except (TimeoutError, OSError, RuntimeError):
            log.debug("a client did not wait for its close code")

    async def _next(self) -> dict[str, Any]:
        # Whoever writes too fast is read slowly; the socket holds the rest back.
        if (pause := self._frames.owe()) > 0:
            await asyncio.sleep(pause)
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise _Ended(None)
        return event

    # --- Coming in ---

    async def _connect(self, address: str | None) -> Client:
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
        now = timezone.now()
        claims = read_token(token, now=now)
        if not self._gateway.connects_of_token.take(claims):
            raise Refused(protocol.FLOOD, "The token is used too often.")
        kicks_heard = self._gateway.kicks_heard
        connection = await ask(
            admit,
            app_key=app_key,
            claims=claims,
            device=device,
            platform=platform,
            address=address,
            after=after,
            gateway=self._gateway.row,
            now=now,
        )
        # Known before anybody can ask for a delivery: what comes up to it is not given out again.
        self._last_given = after
        self._client = client = Client(
            self._gateway.shared(connection.environment),
            connection.user_id,
            address,
            connection.pk,
            connection.connected_at,
        )
        self._gateway.registry.add(self, client)
        if not self._gateway.connects_of_user.take((client.environment.pk, client.user_id)):
            raise Refused(protocol.FLOOD, "The user connects too often.")
        # A kick that was heard meanwhile may have meant this one, which was not here yet.
        if self._gateway.kicks_heard != kicks_heard:
            kicked = await ask(presence.kicked, connection_id=client.connection_id)
            if kicked is not None:
                raise _Ended(*protocol.farewell(Kick.of(kicked)))
        self._outbox.put(
            {"event": "connected", "user_id": client.user_id, "connection": client.connection_id}
        )
        self._is_welcomed = True
        self.deliver()
        return client

    # --- Answering ---

    async def _answer(self, client: Client, event: dict[str, Any]) -> None:
        tag: str | int | None = None
        try:
            frame = protocol.parse(event)
            tag = protocol.tag(frame)
            answer = {"id": tag, "ok": True, **await ask(calls.answer, client, frame)}
        except BadFrame as mistake:
            if not self._mistakes.take():
                raise _Ended(protocol.ABUSE) from None
            answer = _no(tag, mistake.error, str(mistake))
        except calls.CallRefused as refusal:
            answer = _no(tag, refusal.error, str(refusal))
        except Error:
            log.exception("the database does not answer")
            answer = _no(tag, "unavailable", "Send the same again after a pause.")
        self._outbox.put(answer)
        if self._outbox.overflows:
            raise _Ended(protocol.SLOW_READER)

    # --- Giving out ---

    def deliver(self) -> None:
        """Give out what waits for the user; to one who was just let in, once they know that."""
        self._again = True
        if self._delivering is None and self._client is not None and self._is_welcomed:
            self._delivering = asyncio.create_task(self._deliver_waiting(self._client))

    async def _deliver_waiting(self, client: Client) -> None:
        try:
            while self._again:
                self._again = False
                found = await ask(calls.to_give_out, client, self._last_given, DELIVERED_AT_ONCE)
                for message in found:
                    self._last_given = message.pk
                    self._outbox.put(
                        {
                            "event": "message",
                            "message_id": message.pk,
                            "from": message.sender_id,
                            "body": message.body,
                            "sent_at": message.sent_at.isoformat(),
                        }
                    )
                # At the client's pace: for one that does not read, messages wait in the database.
                await self._outbox.drained()
                self._again |= len(found) == DELIVERED_AT_ONCE
        except Error as error:
            log.warning("what waits for a user cannot be read, the next look finds it: %s", error)
        finally:
            self._delivering = None


class _Ended(Exception):
    """The connection is over; None where the client itself has closed it."""

    def __init__(self, ending: Ending | None, details: dict[str, Any] | None = None):
        super().__init__()
        self.ending, self.details = ending, details or {}


def _no(tag: str | int | None, error: str, message: str) -> dict[str, Any]:
    return {"id": tag, "ok": False, "error": error, "message": message}
