"""Redis for what Django's cache cannot do: messages between processes, and counters in one round
trip.
"""

from functools import cache

import redis
from django.conf import settings

TIMEOUT = 0.5  # seconds


def client() -> "redis.Redis":
    """The client of this process, for all its threads. Its calls raise `redis.RedisError`."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT)
