"""Django's cache in Redis, by the client of `applications.redis_client`: it knows of Sentinels."""

from typing import Any

from django.core.cache.backends import redis as backend
from redis import Redis

from applications import redis_client


class _Client(backend.RedisCacheClient):
    def get_client(self, key: Any = None, *, write: bool = False) -> "Redis":
        return redis_client.client()


class RedisCache(backend.RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
