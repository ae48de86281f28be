"""`REDIS_URL`, and what Celery is told of it."""

from typing import Any
from urllib.parse import quote

from applications.redis_client import KEEPALIVE, sentinels
from rollcall.stores import valkey
from rollcall.variables import url

EXPECTED = "as in redis://host:6379/0, or redis+sentinel://one:26379,two:26379/mymaster/0"


def parsed(text: str) -> str:
    """A parser for `Variables.parsed`."""
    if sentinels(text) is not None:
        return text
    return url("redis", "rediss", "unix")(text)


def broker(redis_url: str) -> tuple[str, dict[str, Any]]:
    """Celery's URL and transport options."""
    options: dict[str, Any] = {
        "visibility_timeout": 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
    }
    if redis_url.startswith("unix:"):
        return valkey.broker_url(redis_url), options
    options |= {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
    found = sentinels(redis_url)
    if found is None:
        return redis_url, options
    login = ":".join(quote(word or "", safe="") for word in (found.username, found.password))
    addresses = [f"{host}:{port}/{found.number}" for host, port in found.addresses]
    options |= {
        "master_name": found.master,
        "sentinel_kwargs": {"password": found.own_password, "socket_timeout": 2},
    }
    return ";".join(f"sentinel://{login}@{address}" for address in addresses), options
