"""The Server API's way in under WSGI, beside Django's handler and not through it.

A call needs none of what Django does for a page: middleware, signals, the URLconf. That costs as
much as the rest of a call outside of the database.

Invariants
----------
* What leaves here is what leaves through Django's handler, to the letter: `tests/api/test_entry.py`
  sends the same to both.
* A path that no vendor owns, and a request that HTTPS would redirect, are the handler's.
* A connection that failed in a call is replaced before the thread's next one.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from api import doors
from api.vendor import Request

Application = Callable[..., Iterable[bytes]]
_ALIASES = tuple(connections)


class Entry:
    """`pages` is Django's handler."""

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self._security_headers = {
            is_secure: _security_headers(is_secure=is_secure) for is_secure in (False, True)
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = WSGIRequest(environ)
        segments = doors.segments_of(request)
        vendor = doors.owner(segments)
        is_secure = request.is_secure()
        if vendor is None or (settings.SECURE_SSL_REDIRECT and not is_secure):
            return self._pages(environ, start_response)
        try:
            answer = doors.answer(vendor, segments, cast(Request, request))
        finally:
            for alias in _ALIASES:  # `close_old_connections` asks first which of them are in use
                connections[alias].close_if_unusable_or_obsolete()
        headers = [*answer.headers.items(), *self._security_headers[is_secure]]
        start_response(f"{answer.status} {answer.reason}", headers)
        return [answer.content]


def _security_headers(*, is_secure: bool) -> list[tuple[str, str]]:
    """What Django's middleware adds to each response; no vendor's call sets one of these."""
    request = HttpRequest()
    request.is_secure = lambda: is_secure  # type: ignore[method-assign]
    response = HttpResponse()
    del response["Content-Type"]
    return [*SecurityMiddleware(lambda _: response).process_response(request, response).items()]
