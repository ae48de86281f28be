"""Serving the gateway: uvicorn, with what a gateway needs."""

import asyncio
import resource
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.protocol import MAX_FRAME_BYTES

# Clients are told that the process ends, and have so many seconds to go.
GRACE = 3
# Seconds until a closed socket is dropped whose client does not read what was sent before.
LINGER = 2.0
# Seconds that a request's head may take, from the socket or its last answer on.
HEAD_WITHIN = 10.0


class HttpProtocol(H11Protocol):
    """What uvicorn leaves open before the handshake: whoever opens a socket and then says nothing,
    or a request head drop by drop, is dropped after `HEAD_WITHIN`.
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
        """Keep a timer for as long as a head is due."""
        # A WebSocket has another protocol from its handshake on.
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
    """What uvicorn leaves open.

    Sockets of clients that do not read are dropped: a transport that is closed waits for them
    without an end, and the application hears nothing of it. And a handshake that ends otherwise
    than by a WebSocket is no error of the application's, to be logged for each client of a flood.
    """

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
    "ws_max_size": MAX_FRAME_BYTES,
    "ws_per_message_deflate": False,  # frames are small, and its windows are not
    "lifespan": "on",
    # Which proxies to believe is for TRUSTED_PROXIES to say, not for uvicorn.
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,  # as Django's
    "log_level": "warning",
    "timeout_graceful_shutdown": GRACE,
}


def serve(application: str, *, host: str, port: int, processes: int = 1) -> None:
    """Serve an ASGI application until a signal ends it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one file for each connection
    # Threads that wait on the database take turns with the loop that closes connections, which
    # would wait for each of them for 5 ms.
    sys.setswitchinterval(0.001)
    uvicorn.run(application, host=host, port=port, workers=processes, **OPTIONS)
