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
    await (pages if is_page else gateway)(scope, receive, send)


if __name__ == "__main__":
    serve("rollcall.asgi:application", host=settings.HOST, port=settings.PORT)
