"""Messages between processes: "close these connections", "there is something to deliver".

Invariants
----------
* A message is published at commit, so no message is about a change that was rolled back.
* A message only makes the receiver act sooner. What must not be lost is a row in a table
  (`Connection.kicked_at`, `Message`), which gateways also poll. So Redis may be down, and
  publishing never raises.
* Each installation has its own channel. Redis publishes across its numbered databases, so the
  channel's name distinguishes installations that share a server.
"""

import json
import logging
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import redis
from django.conf import settings
from django.db import transaction

from applications import metrics, redis_client, tracing

# The most connections in one message.
KEYS_AT_ONCE = 1_000
# How long nothing is published after Redis did not answer: otherwise every caller would wait.
PAUSE = 1.0  # seconds
log = logging.getLogger(__name__)

_paused_until = 0.0


def channel() -> str:
    """The channel's name, the same in every process of an installation, on all machines.

    It is derived from the oldest of `ENCRYPTION_KEYS`, which stays the same when a new key is put
    in front, and from the number of the Redis database, which distinguishes a copy of the
    installation that has the same keys.
    """
    number = redis_client.client().connection_pool.connection_kwargs.get("db", 0)
    oldest = settings.ENCRYPTION_KEYS[-1].encode()
    name = blake2b(oldest, digest_size=12, person=b"rollcall bus").hexdigest()
    return f"rollcall:{name}:{number}"


def publish(kind: str, **payload: Any) -> None:
    """Send a message to every gateway process after the current transaction commits."""
    # Not a partial: Django logs a failed robust callback by `__qualname__`, which partials lack.
    transaction.on_commit(lambda: _send({"kind": kind, **payload}), robust=True)


def sent_at(message: Mapping[str, Any]) -> float | None:
    """When the change was committed that a message is about: Unix time in seconds, by the clock of
    the machine that sent it. None if an earlier version sent it.
    """
    at = message.get("sent_at")
    return None if at is None else float(at)


def read(data: bytes) -> dict[str, Any]:
    """Decode a message that `publish` sent. Raises `ValueError` for anything else."""
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def _send(message: dict[str, Any]) -> None:
    global _paused_until
    if time.monotonic() < _paused_until:
        metrics.BUS_MESSAGES.labels("dropped").inc()
        return
    about = {"sent_at": time.time(), "request_id": tracing.request_id()}
    try:
        redis_client.client().publish(channel(), json.dumps(message | about))
        metrics.BUS_MESSAGES.labels("sent").inc()
    except redis.RedisError as error:
        metrics.BUS_MESSAGES.labels("dropped").inc()
        _paused_until = time.monotonic() + PAUSE
        log.warning("Redis is not available, gateways will poll the database: %s", error)
