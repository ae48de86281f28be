"""The gateway as an ASGI application: `uvicorn gateway.app:application`."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
django.setup()

from django.conf import settings  # noqa: E402 - only after Django is set up
from django.core.management.base import BaseCommand  # noqa: E402
from django.db import Error  # noqa: E402

from applications import addresses  # noqa: E402
from gateway.connecting import Handshake  # noqa: E402
from gateway.floods import network_of  # noqa: E402
from gateway.http import Request, Response, page_at, read_body, respond  # noqa: E402
from gateway.process import Gateway  # noqa: E402
from gateway.protocols import session_at  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class GatewayApplication:
    """Serves WebSockets at the paths of `GATEWAY_PROTOCOLS` and HTTP at those of `GATEWAY_PAGES`;
    starts and stops the `Gateway`.
    """

    def __init__(self) -> None:
        self._gateway: Gateway | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request by HTTP."""
        page = page_at(scope["path"])
        if page is None:
            await respond(send, Response(404, "This is a WebSocket gateway.\n"))
        elif self._gateway and not self._gateway.requests.take(network_of(client_address(scope))):
            await respond(send, Response(429, "Too many requests.\n"))
        elif (body := await read_body(receive)) is None:
            await respond(send, Response(400, "The body cannot be read.\n"))
        else:
            headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            query = scope["query_string"].decode("latin-1")
            await respond(send, page(Request(scope["method"], query, headers, body)))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        gateway = Gateway()
        try:
            await gateway.start()
        except Error as error:
            await send({"type": "lifespan.startup.failed", "message": f"The database: {error}"})
            return
        self._gateway = gateway
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await gateway.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        address = client_address(scope)
        session = session_at(scope["path"])
        if session is None:
            await _refuse(send, 404, "The gateway is at " + settings.GATEWAY_PATH)
        elif self._gateway is None:
            await _refuse(send, 503, "The gateway is not open")
        elif not self._gateway.connects.take(network_of(address)):
            # Refuses before the handshake, which costs more.
            await _refuse(send, 429, "Too many attempts to connect")
        else:
            await send({"type": "websocket.accept"})
            handshake = Handshake(scope["query_string"].decode("latin-1"), address)
            await session(self._gateway, receive, send).run(handshake)


async def _refuse(send: Send, status: int, text: str) -> None:
    """Instead of the handshake."""
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": f"{text}.\n".encode()})


def client_address(scope: Scope) -> str | None:
    """The client's address, from an ASGI scope, as for an HTTP request."""
    forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return addresses.client_address(
        peer=scope["client"][0] if scope.get("client") else None,
        forwarded_for=forwarded.decode("latin-1"),
        trusted_proxies=settings.TRUSTED_PROXIES,
    )


BaseCommand().check(tags=["settings"])  # ASGI servers do not run Django's checks
application = GatewayApplication()
