"""Messages between processes: "close these connections", "there is something to deliver".

Invariants
----------
* A message leaves at commit, so nobody hears of what did not happen.
* It only wakes. What must not be lost stands in a table (`Connection.kicked_at`, `Message`), and a
  gateway looks there as well; so Redis may be away, and publishing never fails its caller.
* Without Redis there is one gateway process and it listens here, in its own process.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import transaction

from applications import redis_client

CHANNEL = "rollcall:gateway"
# So many connections are named in one message.
KEYS_AT_ONCE = 1_000
# Redis that did not answer is not asked again so soon, or each publisher would wait for it.
REST = 1.0  # seconds
log = logging.getLogger(__name__)

Listener = Callable[[dict[str, Any]], object]
_listeners: list[Listener] = []
_rest_until = 0.0


def listen(listener: Listener) -> Callable[[], None]:
    """Call `listener` with every message of this process, on the publisher's thread; the answer
    ends it. Used where there is no Redis.
    """
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def publish(kind: str, **payload: Any) -> None:
    """Tell every gateway process once the present transaction has committed."""
    # No partial: Django logs a robust call's failure by a name that partials do not have.
    transaction.on_commit(lambda: _send({"kind": kind, **payload}), robust=True)


def _send(message: dict[str, Any]) -> None:
    global _rest_until
    if not settings.REDIS_URL:
        for listener in tuple(_listeners):
            listener(message)
        return
    if time.monotonic() < _rest_until:
        return
    try:
        redis_client.client().publish(CHANNEL, json.dumps(message))
    except redis.RedisError as error:
        _rest_until = time.monotonic() + REST
        log.warning("Redis is away, gateways will find it in the table: %s", error)
