"""Redis for what Django's cache cannot do: messages between processes, and counters in one round
trip. And how `REDIS_URL` is read, which names a server, or Sentinels that know which server it is.
"""

import socket
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.sentinel import Sentinel

TIMEOUT = 0.5  # seconds
SENTINEL_SCHEME, SENTINEL_PORT = "redis+sentinel", 26379
# A host that vanished is noticed within 11 seconds, by who waits for a message as well.
KEEPALIVE = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}


@dataclass(frozen=True)
class Sentinels:
    """The Sentinels of `redis+sentinel://user:password@one:26379,two:26379/master/0`. User and
    password are Redis's; the Sentinels' own password is `?sentinel_password=`.
    """

    addresses: list[tuple[str, int]]
    master: str
    number: int
    username: str | None
    password: str | None
    own_password: str | None


def sentinels(url: str) -> Sentinels | None:
    """None if the URL names a server. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme != SENTINEL_SCHEME:
        return None
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = map(unquote, login.partition(":"))
    addresses = [urlsplit(f"//{host}") for host in hosts.split(",")]
    master, _, number = parts.path.strip("/").partition("/")
    if not master or not all(each.hostname for each in addresses):
        raise ValueError(url)
    return Sentinels(
        [(each.hostname or "", each.port or SENTINEL_PORT) for each in addresses],
        master,
        int(number or 0),
        username or None,
        password or None,
        parse_qs(parts.query).get("sentinel_password", [None])[0],
    )


def client() -> "redis.Redis":
    """The client of this process, for all its threads. Its calls raise `redis.RedisError`."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> "redis.Redis":
    return connect(url, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT)


def connect(url: str, **options: Any) -> "redis.Redis":
    """A client of its own. `options` are those of `redis.Redis`."""
    found = sentinels(url)
    if found is None:
        return redis.Redis.from_url(url, **options)
    make: Any = Sentinel  # it has no types
    sentinel = make(found.addresses, **_options(found, options))
    server: redis.Redis = sentinel.master_for(found.master)
    return server


def connect_async(url: str, **options: Any) -> "redis.asyncio.Redis":
    """`connect` for the event loop."""
    found = sentinels(url)
    if found is None:
        return redis.asyncio.Redis.from_url(url, **options)
    make: Any = AsyncSentinel
    sentinel = make(found.addresses, **_options(found, options))
    server: redis.asyncio.Redis = sentinel.master_for(found.master)
    return server


def _options(found: Sentinels, options: dict[str, Any]) -> dict[str, Any]:
    own = {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
    return options | {
        "sentinel_kwargs": own | {"password": found.own_password},
        "db": found.number,
        "username": found.username,
        "password": found.password,
    }
