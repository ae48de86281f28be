"""The error of a `manage.py` command if a store is down: one sentence, no traceback."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import redis
from django.conf import settings
from django.db import OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError

from applications import redis_client

# Interactive commands, which would connect only after the first input.
INTERACTIVE = {"shell", "dbshell"}


@contextmanager
def exit_if_unreachable(arguments: Sequence[str]) -> Iterator[None]:
    """Run a command. If it fails because a store is down, exit with one sentence."""
    try:
        if INTERACTIVE & set(arguments[1:2]) and (sentence := why_unreachable()):
            sys.exit(sentence)
        yield
    except (OperationalError, BrokerError, redis.ConnectionError):
        sentence = why_unreachable()
        if sentence is None:
            raise
        sys.exit(sentence)


def why_unreachable() -> str | None:
    """Which store does not answer, and what to do; None if both answer."""
    for name, error in (("DATABASE_URL", database_error()), ("REDIS_URL", redis_error())):
        if error is None:
            continue
        if name in settings.EMBEDDED_STORES:
            return (
                "The stores of the demo are not running: `make demo` starts them. "
                "To use other stores, set DATABASE_URL and REDIS_URL."
            )
        return f"Cannot connect to {name}: {error}"
    return None


def database_error() -> str | None:
    """Why PostgreSQL is unreachable, or None."""
    parameters = connection.get_connection_params()
    try:
        psycopg.connect(**{**parameters, "connect_timeout": 5}).close()
    except psycopg.OperationalError as error:
        return " ".join(str(error).split())
    return None


def redis_error() -> str | None:
    """Why Redis is unreachable, or None."""
    try:
        with redis_client.connect(settings.REDIS_URL, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return None
