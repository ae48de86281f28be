"""Redis for what Django's cache cannot say: messages between processes, and counters in one round
trip.
"""

from functools import cache

import redis
from django.conf import settings

SECONDS = 0.5  # until Redis counts as away


def client() -> "redis.Redis":
    """Of this process, for all its threads. Its calls raise `redis.RedisError`."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS)
