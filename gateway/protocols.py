"""The wire protocols, by the path at which their clients open the WebSocket."""

import functools

from django.conf import settings
from django.utils.module_loading import import_string

from gateway.session import Session


def session_at(path: str) -> type[Session] | None:
    """The session class that speaks the protocol of this path."""
    return _sessions().get(path)


@functools.cache
def _sessions() -> dict[str, type[Session]]:
    return {path: import_string(name) for path, name in settings.GATEWAY_PROTOCOLS.items()}
