"""WSGI entry point, for production."""

import os
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application


class ChunkedBody:
    """Passes Django the body of a request without a Content-Length.

    Such a body is chunked. The server marks its end (`wsgi.input_terminated`), but Django reads
    only up to `CONTENT_LENGTH`, so nothing. One byte more than the limit is read, so that Django
    refuses a body that is too large, as any other.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return self.application(environ, start_response)


def keep_connections() -> None:
    """Each thread keeps a connection to the database: a pool would cost every call a tenth of
    itself. The server's threads live as long as the process, and each serves one call at a time.
    """
    database = settings.DATABASES["default"]
    database["OPTIONS"].pop("pool", None)
    database |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
keep_connections()
_entry: Callable[..., Iterable[bytes]] = get_wsgi_application()
if apps.is_installed("api"):
    from api.entry import Entry

    _entry = Entry(_entry)
application = ChunkedBody(_entry)
BaseCommand().check(tags=["settings"])  # servers start without Django's checks
