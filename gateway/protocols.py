"""The wire protocols, by the path at which their clients open the WebSocket."""

import functools

from django.conf import settings
from django.utils.module_loading import import_string

from gateway.session import Session


def session_at(path: str) -> type[Session] | None:
    """The session class that speaks the protocol of this path. In `settings.GATEWAY_PROTOCOLS` a
    segment `*` stands for any.
    """
    return _sessions().get(path) or _by_pattern(path.split("/"))


def _by_pattern(segments: list[str]) -> type[Session] | None:
    for pattern, session in _patterns():
        if len(pattern) == len(segments) and all(
            wanted in {"*", given} for wanted, given in zip(pattern, segments, strict=True)
        ):
            return session
    return None


@functools.cache
def _patterns() -> list[tuple[list[str], type[Session]]]:
    return [(path.split("/"), session) for path, session in _sessions().items() if "*" in path]


@functools.cache
def _sessions() -> dict[str, type[Session]]:
    return {path: import_string(name) for path, name in settings.GATEWAY_PROTOCOLS.items()}
