"""Listening to `users.bus`."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from users import bus

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds, after Redis did not answer


class Listener:
    """`heard` is called on the event loop with every message. While `is_deaf`, the database must be
    looked at instead.

    Invariant: nothing that arrives ends the listening. What cannot be read is logged and skipped.
    """

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self.is_deaf = True

    async def listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                log.warning("Redis is away, looking into the database instead: %s", error)
            except Exception:
                log.exception("listening failed, looking into the database instead")
            self.is_deaf = True
            await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        # Waits for messages without an end; a peer that is gone is found by TCP's own probes.
        over_tcp = not settings.REDIS_URL.startswith("unix:")
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=2,
            socket_timeout=None,
            **({"socket_keepalive": True} if over_tcp else {}),
        )
        async with client, client.pubsub() as channel:
            await channel.subscribe(bus.channel())
            async for event in channel.listen():
                if event["type"] == "subscribe":
                    self.is_deaf = False
                elif event["type"] == "message":
                    self._take(event["data"])

    def _take(self, data: bytes) -> None:
        try:
            self._heard(bus.read(data))
        except Exception as error:
            # Other programs may publish on this Redis, and other versions of this one.
            log.warning("skipped a message that cannot be read: %.200r (%r)", data, error)
