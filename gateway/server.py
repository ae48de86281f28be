"""Serves the gateway with uvicorn, with further time limits for slow clients."""

import asyncio
import resource
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.protocols import session_at

# Seconds that clients have to disconnect when the process stops.
GRACE = 3
# Seconds until a closing socket is aborted if its client does not read the remaining data.
LINGER = 2.0
# Frames that may wait for the application before a socket is read no further.
UNREAD = 4
# Seconds to receive a request's head, from the connection or the previous response on.
HEAD_WITHIN = 10.0


class HttpProtocol(H11Protocol):
    """Adds a timeout that uvicorn lacks before the handshake: a socket whose request head is not
    complete after `HEAD_WITHIN` is aborted.
    """

    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._expect_head()

    def _expect_head(self) -> None:
        """Run a timer while a head is awaited."""
        # A WebSocket switches to `Protocol` at its handshake.
        is_ours = self in self.connections and not self.transport.is_closing()
        if is_ours and (self.cycle is None or self.cycle.response_complete):
            if self._head_due is None:
                self._head_due = self.loop.call_later(HEAD_WITHIN, self._drop)
        elif self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _drop(self) -> None:
        self._head_due = None
        if self in self.connections and (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()


class Protocol(WebSocketsSansIOProtocol):
    """Bounds frames as the protocol of the path says, and corrects three behaviours of uvicorn.

    It stops reading after each frame until the application has taken it, which is two system calls
    for each frame: here `UNREAD` frames may wait.

    A closing transport waits without end for a client that does not read, and the application is
    not notified: such sockets are aborted. A handshake that the application refuses, or that the
    client breaks off, is logged as an application error for each client: here it is none.
    """

    def handle_connect(self, event: Request) -> None:
        session = session_at(event.path.partition("?")[0])
        if session is not None:
            self.conn.max_message_size = session.MAX_FRAME_BYTES
        super().handle_connect(event)

    def send_receive_event_to_app(self) -> None:
        was_paused, self.read_paused = self.read_paused, True
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_paused and self.queue.qsize() >= UNREAD:
            self.read_paused = True
            self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True
        elif message["type"] == "websocket.accept" and not self.handshake_complete:
            raise ClientDisconnected

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(LINGER, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        if self.transport.get_write_buffer_size():
            self.transport.abort()


OPTIONS: dict[str, Any] = {
    "http": HttpProtocol,
    "ws": Protocol,
    "ws_per_message_deflate": False,  # frames are small, and compression windows are large
    "lifespan": "on",
    # TRUSTED_PROXIES decides which proxies to trust.
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,  # Django configures logging
    "log_level": "warning",
    "timeout_graceful_shutdown": GRACE,
}


def serve(application: str, *, host: str, port: int, processes: int = 1) -> None:
    """Serve an ASGI application until a signal stops it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one file for each connection
    # Otherwise the event loop would wait up to 5 ms for each database thread.
    sys.setswitchinterval(0.001)
    uvicorn.run(application, host=host, port=port, workers=processes, **OPTIONS)
