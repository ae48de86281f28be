"""Subscribes to `users.bus`."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from applications import metrics, redis_client
from users import bus

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds before a retry, after Redis did not answer


class Listener:
    """Calls `on_message` on the event loop with every message. While it is not `is_listening`, the
    gateway must poll the database instead.

    Invariant: no message can end the subscription. Invalid messages are logged and skipped.
    """

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        self._on_message = on_message
        self.is_listening = False

    async def listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                log.warning("Redis is not available, polling the database instead: %s", error)
            except Exception:
                log.exception("listening failed, polling the database instead")
            self.is_listening = False
            await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        # Waits for messages without a timeout; TCP keepalive detects a dead peer.
        over_tcp = not settings.REDIS_URL.startswith("unix:")
        keepalive = {
            "socket_keepalive": True,
            "socket_keepalive_options": redis_client.KEEPALIVE,
        }
        client = redis_client.connect_async(
            settings.REDIS_URL,
            socket_connect_timeout=2,
            socket_timeout=None,
            **(keepalive if over_tcp else {}),
        )
        async with client, client.pubsub() as channel:
            await channel.subscribe(bus.channel())
            async for event in channel.listen():
                if event["type"] == "subscribe":
                    self.is_listening = True
                elif event["type"] == "message":
                    self._handle(event["data"])

    def _handle(self, data: bytes) -> None:
        try:
            self._on_message(bus.read(data))
        except Exception as error:
            # Other programs, and other versions of this one, may publish on this channel.
            metrics.BUS_MESSAGES.labels("unreadable").inc()
            log.warning("skipped an invalid message: %.200r (%r)", data, error)
