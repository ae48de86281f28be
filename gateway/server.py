"""Serves the gateway with uvicorn: with further time limits for slow clients, and in waves where a
process ends.
"""

import asyncio
import random
import resource
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState
from websockets.http11 import Request

from applications import addresses
from gateway import websocket
from gateway.connecting import Handshake
from gateway.floods import network_of
from gateway.protocols import session_at
from gateway.websocket import WebSocket

if TYPE_CHECKING:
    from gateway.process import Gateway

# Seconds that clients have to disconnect after the process has told them to.
GRACE = 3
# While a process ends, it closes at most this many connections per second, if the time allows.
CLOSED_A_SECOND = 200


class HttpProtocol(H11Protocol):
    """Adds a timeout that uvicorn lacks before the handshake: a socket whose request head is not
    complete after `websocket.HEAD_WITHIN` is aborted.
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

    def _should_upgrade(self) -> bool:
        return False  # and no warning, which any client could cause

    def _expect_head(self) -> None:
        """Run a timer while a head is awaited."""
        is_ours = self in self.connections and not self.transport.is_closing()
        if is_ours and (self.cycle is None or self.cycle.response_complete):
            if self._head_due is None:
                self._head_due = self.loop.call_later(websocket.HEAD_WITHIN, self._drop)
        elif self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _drop(self) -> None:
        self._head_due = None
        if self in self.connections and (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()


class ClientSocket(WebSocket):
    """A socket that uvicorn has accepted. Requests for other paths go on as HTTP."""

    __slots__ = ("_app_state", "_config", "_server_state")

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(_loop or asyncio.get_running_loop())
        self._config, self._server_state, self._app_state = config, server_state, app_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server_state.connections.add(self)  # type: ignore[arg-type]

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._server_state.connections.discard(self)

    def most_bytes(self, path: str) -> int | None:
        session = session_at(path)
        return session.MAX_FRAME_BYTES if session else None

    def hand_over(self, received: bytes) -> None:
        self._server_state.connections.discard(self)
        http = HttpProtocol(self._config, self._server_state, self._app_state, self._loop)
        http.connection_made(self.transport)
        self.transport.set_protocol(http)
        http.data_received(received)

    def shutdown(self) -> None:
        """Called for all connections at once, when the process ends. All clients would come back to
        the other processes at once, too: here each is told at a random moment.
        """
        connections = len(self._server_state.connections)
        spread = min(settings.GATEWAY_DRAIN_SECONDS, connections / CLOSED_A_SECOND)
        self._loop.call_later(random.uniform(0, spread), super().shutdown)  # noqa: S311

    def refusal(self, request: Request) -> tuple[HTTPStatus, str] | None:
        gateway: Gateway | None = self._app_state.get("gateway")
        if gateway is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, "The gateway is not open.\n"
        if not gateway.connects.take(network_of(self._address(request))):
            return HTTPStatus.TOO_MANY_REQUESTS, "Too many attempts to connect.\n"
        return None

    def opened(self, request: Request) -> None:
        path, _, query = request.path.partition("?")
        session = session_at(path)
        assert session is not None  # noqa: S101 - `most_bytes` has found it
        handshake = Handshake(query, self._address(request))
        running = session(self._app_state["gateway"], self).run(handshake)
        task = self._loop.create_task(running)
        # The event loop itself does not keep tasks, and uvicorn waits for these when it stops.
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)

    def _address(self, request: Request) -> str | None:
        return addresses.client_address(
            peer=self.transport.get_extra_info("peername")[0],
            forwarded_for=",".join(request.headers.get_all("X-Forwarded-For")),
            trusted_proxies=settings.TRUSTED_PROXIES,
        )


OPTIONS: dict[str, Any] = {
    "http": ClientSocket,
    "ws": "none",  # the sockets that `ClientSocket` hands over are none
    "lifespan": "on",
    # TRUSTED_PROXIES decides which proxies to trust.
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,  # Django configures logging
    "log_level": "warning",
}


def serve(application: str, *, host: str, port: int, processes: int = 1) -> None:
    """Serve an ASGI application until a signal stops it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one file for each connection
    within = settings.GATEWAY_DRAIN_SECONDS + GRACE
    uvicorn.run(
        application,
        host=host,
        port=port,
        workers=processes,
        timeout_graceful_shutdown=within,
        **OPTIONS,
    )
