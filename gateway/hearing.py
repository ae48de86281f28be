"""Hearing `users.bus`: from Redis, or within this process where there is none."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from users import bus

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds, after Redis did not answer


class Hearing:
    """`heard` is called on the event loop with every message. While `is_deaf`, the database must be
    looked at instead.
    """

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self.is_deaf = True

    async def hear_forever(self) -> None:
        if not settings.REDIS_URL:
            await self._hear_this_process()
        while True:
            try:
                await self._hear_redis()
            except (RedisError, OSError) as error:
                log.warning("Redis is away, looking into the database instead: %s", error)
            self.is_deaf = True
            await asyncio.sleep(PAUSE)

    async def _hear_this_process(self) -> None:
        loop = asyncio.get_running_loop()
        stop = bus.listen(lambda message: loop.call_soon_threadsafe(self._heard, message))
        # Still deaf to the worker, which is another process.
        try:
            await asyncio.Event().wait()
        finally:
            stop()

    async def _hear_redis(self) -> None:
        # Waits for messages without an end; a peer that is gone is found by TCP's own probes.
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=2,
            socket_timeout=None,
            socket_keepalive=True,
        )
        async with client, client.pubsub() as channel:
            await channel.subscribe(bus.CHANNEL)
            async for event in channel.listen():
                if event["type"] == "subscribe":
                    self.is_deaf = False
                elif event["type"] == "message":
                    self._heard(json.loads(event["data"]))
