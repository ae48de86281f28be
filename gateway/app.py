"""The gateway's ASGI application: starts and stops it, and answers requests by HTTP.

`gateway.server` serves it, and the WebSockets, which are not ASGI (`gateway.websocket`).
"""

import gc
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
django.setup()

from django.conf import settings  # noqa: E402 - only after Django is set up
from django.core.management.base import BaseCommand  # noqa: E402
from django.db import Error  # noqa: E402

from applications import addresses  # noqa: E402
from gateway.floods import network_of  # noqa: E402
from gateway.http import (  # noqa: E402
    Receive,
    Request,
    Response,
    Send,
    page_at,
    read_body,
    respond,
)
from gateway.process import Gateway  # noqa: E402

Scope = dict[str, Any]


class GatewayApplication:
    """Starts and stops the `Gateway`, and serves HTTP at the paths of `GATEWAY_PAGES`."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
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

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        # Otherwise the event loop would wait up to 5 ms for each database thread.
        sys.setswitchinterval(0.001)
        # What is loaded stays: the garbage collector need not stop the process to look through it.
        gc.freeze()
        gateway = Gateway()
        try:
            await gateway.start()
        except Error as error:
            await send({"type": "lifespan.startup.failed", "message": f"The database: {error}"})
            return
        self._gateway = scope["state"]["gateway"] = gateway
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await gateway.stop()
        await send({"type": "lifespan.shutdown.complete"})


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
