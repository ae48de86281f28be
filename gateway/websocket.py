"""A WebSocket on an asyncio transport. `websockets` reads and writes the bytes, without I/O.

uvicorn's own class passes frames to an ASGI application through queues and events, which need more
memory than the rest of an idle connection, and more time than its admission.

Invariants
----------
* A message is at most as large as its path allows, in however many fragments it comes. While
  `inbound.UNREAD` messages wait for the application, the client is read no further.
* Frames to a client that reads slowly wait in `_unsent`, beyond what the transport buffers; the
  application looks at `overflows`.
* A client that says nothing for `PING_AFTER` seconds is pinged. A socket has one timer, which drops
  it if the request's head, the answer to a ping or the answer to a close does not come.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import cast

from websockets.frames import CloseCode
from websockets.frames import Frame as Part
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from gateway.inbound import Frame, Inbound

# Seconds to receive a request's head, from the connection on.
HEAD_WITHIN = 10.0
MAX_REQUEST_LINE = 8_192  # bytes
PING_AFTER, PONG_WITHIN = 20.0, 20.0  # seconds
# Seconds until a closing socket is aborted if its client does not close it.
LINGER = 2.0
# Frames that may wait for a client that reads slowly.
MAX_FRAMES = 200

log = logging.getLogger(__name__)
log.setLevel(logging.WARNING)  # `websockets` would log each connection


class WebSocket(asyncio.Protocol, ABC):
    """A socket from its start to its end. A subclass says at which paths it is a WebSocket."""

    __slots__ = (
        "_drained",
        "_head",
        "_heard_at",
        "_inbound",
        "_is_over",
        "_is_pinged",
        "_is_stuck",
        "_loop",
        "_protocol",
        "_timer",
        "_unsent",
        "transport",
    )

    transport: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._head = b""  # until the path is known
        self._protocol: ServerProtocol | None = None
        self._heard_at = 0.0  # the loop's time
        self._is_pinged = False
        # Nothing more can be sent, and nothing more is received.
        self._is_over = False
        self._inbound = Inbound(loop)
        # The transport buffers enough; frames wait here.
        self._is_stuck = False
        self._unsent: list[Frame] = []
        self._drained: asyncio.Event | None = None

    # --- What a subclass gives ---

    @abstractmethod
    def most_bytes(self, path: str) -> int | None:
        """The size of the largest message at this path; None if it is no WebSocket's."""

    @abstractmethod
    def hand_over(self, received: bytes) -> None:
        """The request is for another path: nothing is done with the transport here any more."""

    @abstractmethod
    def refusal(self, request: Request) -> tuple[HTTPStatus, str] | None:
        """The response to a handshake that is refused."""

    @abstractmethod
    def opened(self, request: Request) -> None:
        """The handshake is done: messages can be sent and received."""

    # --- What the application uses ---

    async def receive(self) -> Frame | None:
        """The next message; None if the connection is over."""
        frame = await self._inbound.next()
        if self._inbound.is_empty:
            self.transport.resume_reading()
        return frame

    def send(self, frame: Frame) -> None:
        """Send a frame after those that wait already; nothing if the connection is over."""
        if self._is_over:
            return
        if self._is_stuck:
            self._unsent.append(frame)
        else:
            self._send(frame)

    @property
    def overflows(self) -> bool:
        """Whether the client reads so slowly that it must be disconnected."""
        return len(self._unsent) > MAX_FRAMES

    async def drained(self) -> None:
        """Wait until all frames are sent, or the connection is over."""
        while self._is_stuck and not self._is_over:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def drop(self) -> None:
        """Forget the frames that are not sent yet."""
        self._unsent.clear()

    def close(self, code: int, reason: str = "") -> None:
        """Say so to the client, which then closes the socket."""
        self._inbound.drop()
        protocol = self._protocol
        if protocol is not None and protocol.state is State.OPEN:
            protocol.send_close(code, reason)
            self._end()
            self._flush()
            self.transport.resume_reading()
            self._look_in(LINGER)

    def shutdown(self) -> None:
        """The process stops. Called by uvicorn."""
        self.close(CloseCode.SERVICE_RESTART)
        self._hang_up()

    # --- What asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do what asyncio's do, and are no subclass of them.
        self.transport = cast(asyncio.Transport, transport)
        self._timer = self._loop.call_later(HEAD_WITHIN, self._look)

    def connection_lost(self, error: Exception | None) -> None:
        self._timer.cancel()
        self._end()
        if self._protocol is not None:
            # The two refer to each other, and would wait for the garbage collector, which stops
            # the process the longer the more connections it has to look through.
            self._protocol.parser.close()
            self._protocol = None

    def pause_writing(self) -> None:
        self._is_stuck = True

    def resume_writing(self) -> None:
        self._is_stuck = False
        while self._unsent and not self._is_stuck and not self._is_over:
            self._send(self._unsent.pop(0))
        if not self._is_stuck:
            self._wake_drained()

    def data_received(self, data: bytes) -> None:
        self._heard_at, self._is_pinged = self._loop.time(), False
        if self._protocol is None:
            data = self._head = self._head + data
            if not self._knows_path():
                return
        protocol = self._protocol
        assert protocol is not None  # noqa: S101 - for mypy
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Part):
                self._take(event)
            elif isinstance(event, Request):
                self._shake_hands(protocol, event)
        if protocol.state in (State.CLOSING, State.CLOSED):
            self._end()
        self._flush()

    # --- Receiving ---

    def _knows_path(self) -> bool:
        """Whether the request is for a WebSocket."""
        line, end, _ = self._head.partition(b"\r\n")
        if not end and len(line) <= MAX_REQUEST_LINE:
            return False
        method, _, target = line.decode("latin-1").partition(" ")
        most = self.most_bytes(target.partition(" ")[0].partition("?")[0])
        received, self._head = self._head, b""
        if method != "GET" or most is None:
            self._timer.cancel()
            self.hand_over(received)
            return False
        self._protocol = ServerProtocol(extensions=[], max_size=most, logger=log)
        return True

    def _shake_hands(self, protocol: ServerProtocol, request: Request) -> None:
        refusal = self.refusal(request)
        response = protocol.accept(request) if refusal is None else protocol.reject(*refusal)
        protocol.send_response(response)
        self._flush()
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.opened(request)
            request.headers.clear()  # `websockets` keeps the request
        else:
            self._end()

    def _take(self, part: Part) -> None:
        try:
            self._inbound.take(part)
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "not UTF-8")
        if self._inbound.is_full:
            self.transport.pause_reading()

    # --- Sending ---

    def _send(self, frame: Frame) -> None:
        assert self._protocol is not None  # noqa: S101 - for mypy
        if isinstance(frame, str):
            self._protocol.send_text(frame.encode())
        else:
            self._protocol.send_binary(frame)
        self._flush()

    def _flush(self) -> None:
        if self._protocol is not None:
            for data in self._protocol.data_to_send():
                if data:
                    self.transport.write(data)
                else:
                    self._hang_up()

    def _wake_drained(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    # --- Ending ---

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._unsent.clear()
            self._inbound.end()
            self._wake_drained()

    def _fail(self, code: CloseCode, reason: str) -> None:
        if self._protocol is not None:
            self._protocol.fail(code, reason)
            self._end()
            self._flush()

    def _hang_up(self) -> None:
        """Close the socket once all is sent."""
        self._end()
        self.transport.close()
        self._look_in(LINGER)

    def _look_in(self, seconds: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Called when the client should have done something."""
        silent = self._loop.time() - self._heard_at
        if self._protocol is None or self._protocol.state is not State.OPEN:
            self.transport.abort()
        elif silent < PING_AFTER or not self._inbound.is_empty:
            self._look_in(max(1.0, PING_AFTER - silent))
        elif not self._is_pinged:
            self._is_pinged = True
            self._protocol.send_ping(b"")
            self._flush()
            self._look_in(PONG_WITHIN)
        else:
            self._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
            self.transport.abort()
