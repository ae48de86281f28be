"""ASGI entry point: the demo serves pages, Server API and gateway on one port through it."""

from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application

from gateway.app import application as gateway  # sets Django up
from gateway.server import serve

# Django serves each request in a thread of its own, which cannot keep a connection for the next.
_database = settings.DATABASES["default"]
_database["CONN_MAX_AGE"] = 0
_database["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 16, "timeout": 10}
pages = get_asgi_application()


async def application(scope: Any, receive: Any, send: Any) -> None:
    is_page = scope["type"] == "http" and scope["path"] not in settings.GATEWAY_PAGES
    if is_page and _length(scope) > settings.LARGEST_UPLOAD:
        # Django would write the whole body to a file before any middleware could refuse it.
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b"A file has at most 64 MB."})
        return
    await (pages if is_page else gateway)(scope, receive, send)


def _length(scope: Any) -> int:
    """The declared length of the body; 0 if it is not known."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text[:20]) if text.isdigit() else 0


if __name__ == "__main__":
    serve("rollcall.asgi:application", host=settings.HOST, port=settings.PORT)
