"""The gateway as an ASGI application: `uvicorn console.gateway.app:application`."""

import ipaddress
import os
from collections.abc import Awaitable, Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from django.conf import settings  # noqa: E402 - only after Django is set up

from console.gateway import protocol  # noqa: E402
from console.gateway.process import Gateway  # noqa: E402
from console.gateway.session import Session  # noqa: E402

PATH = "/gateway"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class GatewayApplication:
    """WebSocket at `PATH`, and the process's start and stop."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await _refuse_http(send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                self._gateway = Gateway()
                await self._gateway.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._gateway is not None:
                    await self._gateway.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        address = client_address(scope)
        if scope["path"] != PATH or self._gateway is None:
            await send({"type": "websocket.close", "code": protocol.UNAVAILABLE.code})
            return
        if not self._gateway.connects.take(address):
            # Before the handshake: a flood is not worth more.
            await send({"type": "websocket.close", "code": protocol.FLOOD.code})
            return
        await send({"type": "websocket.accept"})
        await Session(self._gateway, address, receive, send).run()


async def _refuse_http(send: Send) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"This is a WebSocket gateway.\n"})


def client_address(scope: Scope) -> str | None:
    """As `applications.audit.client_address`, for an ASGI scope."""
    found = scope["client"][0] if scope.get("client") else ""
    if settings.TRUSTED_PROXIES:
        forwarded = b",".join(
            value for name, value in scope["headers"] if name == b"x-forwarded-for"
        )
        hops = [hop.strip() for hop in forwarded.decode("latin-1").split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES and hops[-settings.TRUSTED_PROXIES]:
            found = hops[-settings.TRUSTED_PROXIES]
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return None


application = GatewayApplication()
