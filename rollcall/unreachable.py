"""What a command of `manage.py` says where the stores do not answer: one sentence, no traceback."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import redis
from django.conf import settings
from django.db import OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError

# They use the stores when somebody has typed something, which is late to say so.
ASK_FIRST = {"shell", "dbshell"}
_START = "Rollcall's own stores do not run: `make demo` starts them"


@contextmanager
def told_in_one_sentence(arguments: Sequence[str]) -> Iterator[None]:
    """Around a command. Ends the program where a store is why the command failed."""
    # One connection at a time is enough for a command, and a pool would wait for the server.
    settings.DATABASES["default"].get("OPTIONS", {}).pop("pool", None)
    try:
        if ASK_FIRST & set(arguments[1:2]) and (sentence := why_unreachable()):
            sys.exit(sentence)
        yield
    except (OperationalError, BrokerError, redis.ConnectionError):
        sentence = why_unreachable()
        if sentence is None:
            raise
        sys.exit(sentence)


def why_unreachable() -> str | None:
    """Which store does not answer, and what to do; None where both do."""
    for name, error in (("DATABASE_URL", database_error()), ("REDIS_URL", redis_error())):
        if error is None:
            continue
        if name in settings.OWN_STORES:
            return f"{_START}. To use stores of yours, set DATABASE_URL and REDIS_URL."
        return f"{name} names a store that does not answer: {error}"
    return None


def database_error() -> str | None:
    """Past the pool, which would try again and again."""
    parameters = connection.get_connection_params()
    parameters.pop("pool", None)
    try:
        psycopg.connect(**{**parameters, "connect_timeout": 5}).close()
    except psycopg.OperationalError as error:
        return " ".join(str(error).split())
    return None


def redis_error() -> str | None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return None
