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
from gateway.database import run_in_thread
from gateway.floods import Bucket
from gateway.outbox import Outbox, Send
from gateway.protocol import BadFrame, CloseCode
from users import presence
from users.presence import Kick

if TYPE_CHECKING:
    from gateway.process import Gateway

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]

CONNECT_WITHIN = 10  # seconds from the handshake to the first frame
CLOSE_WITHIN = 2  # seconds to send the close frame, before the socket is dropped
FRAMES_AT_ONCE, FRAMES_A_SECOND = 60, 20
MISTAKES_AT_ONCE, MISTAKES_A_SECOND = 10, 0.1
DELIVERED_AT_ONCE = 50


class Session:
    """A client's connection in this process.

    An idle connection uses one task; others run only while there is something to send.
    """

    __slots__ = (
        "_client",
        "_closing",
        "_delivering",
        "_frames",
        "_gateway",
        "_is_connected",
        "_is_kicked",
        "_last_sent",
        "_look_again",
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
        self._look_again = False
        self._closing: tuple[CloseCode, dict[str, Any]] | None = None
        self._frames = Bucket(burst=FRAMES_AT_ONCE, rate=FRAMES_A_SECOND)
        self._mistakes = Bucket(burst=MISTAKES_AT_ONCE, rate=MISTAKES_A_SECOND)
        self._last_sent = 0
        self._is_kicked = self._is_connected = False
        self._task = asyncio.current_task()
        self._client: Client | None = None

    # --- Start and end ---

    async def run(self, address: str | None) -> None:
        """Admit the client, then answer its frames until one side closes the connection."""
        close_code: CloseCode | None = None
        details: dict[str, Any] = {}
        try:
            client = await self._connect(address)
            while True:
                await self._answer(client, await self._next())
        except Refused as refusal:
            close_code = refusal.close_code
            details = protocol.members(
                message=str(refusal), until=refusal.until, why=refusal.why or None
            )
        except _Closed as end:
            close_code, details = end.close_code, end.details
        except asyncio.CancelledError:
            if self._closing is None:
                raise
            close_code, details = self._closing
        except Error:
            log.exception("the database does not answer")
            close_code = protocol.UNAVAILABLE
        except Exception:
            log.exception("a connection failed")
            close_code = protocol.INTERNAL_ERROR
        finally:
            self._stop()
        try:
            if close_code is not None:
                await self._close(close_code, details)
        finally:
            self._outbox.stop()

    def end(self, close_code: CloseCode, details: dict[str, Any] | None = None) -> None:
        """Close the connection; called by others on the event loop while the session is registered.
        `details` are further members of the "closing" frame.
        """
        if self._closing is None and self._task is not None:
            self._closing = close_code, details or {}
            self._task.cancel()

    def kick(self, kick: Kick) -> None:
        """Close because the user may not be connected any more, or was kicked. Queued frames are
        dropped: a deactivated user must receive nothing more; others receive messages again when
        they reconnect.
        """
        self._is_kicked = True
        self.end(*protocol.closing_of(kick))

    def _stop(self) -> None:
        if self._client is not None:
            self._gateway.registry.remove(self, self._client)
            self._gateway.closed.put(self._client.connection_id)
        if self._delivering is not None:
            self._delivering.cancel()
        if self._is_kicked:
            self._outbox.drop()

    async def _close(self, close_code: CloseCode, details: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._outbox.drained()
                frame = {"event": "closing", "reason": close_code.reason, **details}
                await self._send({"type": "websocket.send", "text": protocol.text(frame)})
                await self._send(
                    {
                        "type": "websocket.close",
                        "code": close_code.code,
                        "reason": close_code.reason,
                    }
                )
        except (TimeoutError, OSError, RuntimeError):
            log.debug("a client did not wait for its close code")

    async def _next(self) -> dict[str, Any]:
        # Reads a client that sends too fast more slowly; TCP then slows the client down.
        if (pause := self._frames.reserve()) > 0:
            await asyncio.sleep(pause)
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise _Closed(None)
        return event

    # --- Connecting ---

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
        kicks_received = self._gateway.kicks_received
        connection = await run_in_thread(
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
        # Set before anybody can call `deliver`, which sends messages after this one only.
        self._last_sent = after
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
        # A kick that arrived meanwhile may have been for this connection, not yet in the registry.
        if self._gateway.kicks_received != kicks_received:
            kicked = await run_in_thread(presence.kicked, connection_id=client.connection_id)
            if kicked is not None:
                raise _Closed(*protocol.closing_of(Kick.of(kicked)))
        self._outbox.put(
            {"event": "connected", "user_id": client.user_id, "connection": client.connection_id}
        )
        self._is_connected = True
        self.deliver()
        return client

    # --- Answering ---

    async def _answer(self, client: Client, event: dict[str, Any]) -> None:
        call_id: str | int | None = None
        try:
            frame = protocol.parse(event)
            call_id = protocol.call_id(frame)
            answer = {"id": call_id, "ok": True, **await run_in_thread(calls.answer, client, frame)}
        except BadFrame as mistake:
            if not self._mistakes.take():
                raise _Closed(protocol.ABUSE) from None
            answer = _refusal(call_id, mistake.error, str(mistake))
        except calls.CallRefused as refusal:
            answer = _refusal(call_id, refusal.error, str(refusal))
        except Error:
            log.exception("the database does not answer")
            answer = _refusal(call_id, "unavailable", "Send the same again after a pause.")
        self._outbox.put(answer)
        if self._outbox.overflows:
            raise _Closed(protocol.SLOW_READER)

    # --- Delivering ---

    def deliver(self) -> None:
        """Send the messages that wait for the user, but none before the "connected" event."""
        self._look_again = True
        if self._delivering is None and self._client is not None and self._is_connected:
            self._delivering = asyncio.create_task(self._deliver_waiting(self._client))

    async def _deliver_waiting(self, client: Client) -> None:
        try:
            while self._look_again:
                self._look_again = False
                found = await run_in_thread(
                    calls.undelivered, client, self._last_sent, DELIVERED_AT_ONCE
                )
                for message in found:
                    self._last_sent = message.pk
                    self._outbox.put(
                        {
                            "event": "message",
                            "message_id": message.pk,
                            "from": message.sender_id,
                            "body": message.body,
                            "sent_at": message.sent_at.isoformat(),
                        }
                    )
                # Messages wait in the database, not in memory, for a client that reads slowly.
                await self._outbox.drained()
                self._look_again |= len(found) == DELIVERED_AT_ONCE
        except Error as error:
            log.warning("waiting messages cannot be read, the next poll retries: %s", error)
        finally:
            self._delivering = None


class _Closed(Exception):
    """The connection is over. `close_code` is None if the client closed it."""

    def __init__(self, close_code: CloseCode | None, details: dict[str, Any] | None = None):
        super().__init__()
        self.close_code, self.details = close_code, details or {}


def _refusal(call_id: str | int | None, error: str, message: str) -> dict[str, Any]:
    return {"id": call_id, "ok": False, "error": error, "message": message}
