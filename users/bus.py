"""Messages between processes: "close these connections", "there is something to deliver".

Invariants
----------
* A message leaves at commit, so nobody hears of what did not happen.
* It only wakes. What must not be lost stands in a table (`Connection.kicked_at`, `Message`), and a
  gateway looks there as well; so Redis may be away, and publishing never fails its caller.
* Each installation has a channel of its own. Redis publishes across its numbered databases, so the
  name tells apart those who share one server.
"""

import json
import logging
import time
from hashlib import blake2b
from typing import Any

import redis
from django.conf import settings
from django.db import transaction

from applications import redis_client

# So many connections are named in one message.
KEYS_AT_ONCE = 1_000
# Redis that did not answer is not asked again so soon, or each publisher would wait for it.
REST = 1.0  # seconds
log = logging.getLogger(__name__)

_rest_until = 0.0


def channel() -> str:
    """The same in every process of an installation, on whatever machine. It follows from a secret:
    the oldest of `ENCRYPTION_KEYS`, which stays the same when a new one is put in front; and from
    the number of the Redis database, which tells a copy that has the same keys from its original.
    """
    number = redis_client.client().connection_pool.connection_kwargs.get("db", 0)
    oldest = settings.ENCRYPTION_KEYS[-1].encode()
    name = blake2b(oldest, digest_size=12, person=b"rollcall bus").hexdigest()
    return f"rollcall:{name}:{number}"


def publish(kind: str, **payload: Any) -> None:
    """Tell every gateway process once the present transaction has committed."""
    # No partial: Django logs a robust call's failure by a name that partials do not have.
    transaction.on_commit(lambda: _send({"kind": kind, **payload}), robust=True)


def read(data: bytes) -> dict[str, Any]:
    """What `publish` sent. Raises `ValueError` for anything else."""
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def _send(message: dict[str, Any]) -> None:
    global _rest_until
    if time.monotonic() < _rest_until:
        return
    try:
        redis_client.client().publish(channel(), json.dumps(message))
    except redis.RedisError as error:
        _rest_until = time.monotonic() + REST
        log.warning("Redis is away, gateways will find it in the table: %s", error)
