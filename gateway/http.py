"""Short HTTP requests, which clients of some protocols make before they open the WebSocket.

They are answered without the database. A page is a function from `Request` to `Response`;
`settings.GATEWAY_PAGES` says at which path.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 8_192
BODY_WITHIN = 10  # seconds


@dataclass(frozen=True, slots=True)
class Request:
    """`query` and `body` may contain a token: never log them. Header names are lower case."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Page = Callable[[Request], Response]


def page_at(path: str) -> Page | None:
    return _pages().get(path)


@functools.cache
def _pages() -> dict[str, Page]:
    return {path: import_string(name) for path, name in settings.GATEWAY_PAGES.items()}


async def read_body(receive: Receive) -> str | None:
    """The body as text; None if it is too long, comes too late, or is not UTF-8."""
    body: bytes = b""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    return None
                body += event.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    return None
                if not event.get("more_body"):
                    return body.decode()
    except (TimeoutError, UnicodeDecodeError):
        return None


async def respond(send: Send, response: Response) -> None:
    headers = {
        "content-type": response.content_type,
        "x-content-type-options": "nosniff",
        **response.headers,
    }
    data = response.body.encode()
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [
                (b"content-length", str(len(data)).encode()),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": data})
