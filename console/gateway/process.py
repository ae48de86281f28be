"""The gateway process: its lease, what wakes it, and what it looks for when nothing does."""

import asyncio
import json
import logging
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from console.gateway import protocol
from console.gateway.admission import Admitted
from console.gateway.database import ask
from console.gateway.floods import Buckets
from console.gateway.protocol import Ending
from console.gateway.registry import Registry
from users import bus, messages, presence
from users.models import Connection, GatewayProcess

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks into the database
LEASE_EVERY = 5  # ticks
# How long a kick is remembered, for connections that were just being written down.
REMEMBERED = 30.0  # seconds
# Attempts to connect, from one address.
CONNECTS_AT_ONCE, CONNECTS_A_SECOND = settings.GATEWAY_CONNECT_BURST, settings.GATEWAY_CONNECT_RATE
# Striking out ended connections waits so long for others to join it.
GATHER = 0.05  # seconds


class Gateway:
    """Everything that this process's sessions share."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.connects = Buckets(burst=CONNECTS_AT_ONCE, rate=CONNECTS_A_SECOND)
        self.row = GatewayProcess()
        self._kicks: deque[tuple[float, dict[str, Any]]] = deque()
        self._ended: list[Connection] = []
        self._wake_struck = asyncio.Event()
        self._hears_redis = False
        self._tasks: list[asyncio.Task[None]] = []
        self._stop_listening: Callable[[], None] = lambda: None

    # --- Life of the process ---

    async def start(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.row = await ask(presence.start_gateway, name=name, now=timezone.now())
        loop = asyncio.get_running_loop()
        if settings.REDIS_URL:
            self._tasks.append(asyncio.create_task(self._hear_redis()))
        else:
            self._stop_listening = bus.listen(
                lambda message: loop.call_soon_threadsafe(self.heard, message)
            )
        self._tasks += [
            asyncio.create_task(self._tick_forever()),
            asyncio.create_task(self._strike_ended()),
        ]

    async def stop(self) -> None:
        """Close what is open, strike it all out, and give the lease back."""
        self._stop_listening()
        for session in self.registry.all():
            session.end(protocol.RESTARTING)
        for _ in range(40):
            if not len(self.registry):
                break
            await asyncio.sleep(GATHER)
        for task in self._tasks:
            task.cancel()
        with suppress(DatabaseError):
            await ask(presence.stop_gateway, gateway=self.row, now=timezone.now())

    # --- For sessions ---

    def moment(self) -> float:
        return asyncio.get_running_loop().time()

    def kicked_since(self, began: float, admitted: Admitted) -> Ending | None:
        """What a kick that came since `began` would have closed this connection with."""
        for at, message in reversed(self._kicks):
            if at < began:
                break
            if (
                message["kind"] == "kick"
                and message["environment"] == admitted.environment.pk
                and (message["user_ids"] is None or admitted.user_id in message["user_ids"])
            ) or message.get("connection") == admitted.connection.pk:
                return protocol.KICKS.get(message["reason"], protocol.KICKED)
        return None

    def ended(self, connection: Connection) -> None:
        self._ended.append(connection)
        self._wake_struck.set()

    # --- What wakes it ---

    def heard(self, message: dict[str, Any]) -> None:
        """A message of `users.bus`."""
        if message["kind"] == "deliver":
            for session in self.registry.of_users(message["environment"], message["user_ids"]):
                session.deliver()
            return
        now = self.moment()
        self._kicks.append((now, message))
        while self._kicks and self._kicks[0][0] < now - REMEMBERED:
            self._kicks.popleft()
        ending = protocol.KICKS.get(message["reason"], protocol.KICKED)
        if message["kind"] == "kick_connection":
            if one := self.registry.of_connection(message["connection"]):
                one.end(ending)
            return
        for session in self.registry.of_users(message["environment"], message["user_ids"]):
            session.end(ending)

    async def _hear_redis(self) -> None:
        while True:
            try:
                client = redis.asyncio.Redis.from_url(
                    settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=None
                )
                async with client, client.pubsub() as channel:
                    await channel.subscribe(bus.CHANNEL)
                    self._hears_redis = True
                    async for event in channel.listen():
                        if event["type"] == "message":
                            self.heard(json.loads(event["data"]))
            except (RedisError, OSError) as error:
                log.warning("Redis is away, looking into the database instead: %s", error)
            self._hears_redis = False
            await asyncio.sleep(TICK)

    # --- What it looks for by itself ---

    async def _tick_forever(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK)
            ticks += 1
            try:
                await self._tick(renew=ticks % LEASE_EVERY == 0)
            except DatabaseError as error:
                log.warning("the database does not answer: %s", error)

    async def _tick(self, *, renew: bool) -> None:
        if renew:
            self.connects.forget_full()
            if not await ask(presence.renew_lease, gateway=self.row, now=timezone.now()):
                await self._begin_anew()
                return
        for connection in await ask(presence.kicks, gateway=self.row):
            if session := self.registry.of_connection(connection.pk):
                session.end(protocol.KICKS.get(connection.kick_reason, protocol.KICKED))
        if settings.REDIS_URL and not self._hears_redis:
            waiting = await ask(messages.recipients_at, gateway=self.row)
            for environment_id, user_id in waiting:
                for session in self.registry.of_users(environment_id, [user_id]):
                    session.deliver()

    async def _begin_anew(self) -> None:
        """We were given up for dead, and our connections struck out: their clients come back."""
        log.error("the lease was lost; every connection is closed")
        for session in self.registry.all():
            session.end(protocol.RESTARTING)
        name = f"{self.row.name.rsplit(':', 1)[0]}:{secrets.token_hex(4)}"
        self.row = await ask(presence.start_gateway, name=name, now=timezone.now())

    async def _strike_ended(self) -> None:
        """Strike out connections that have ended, many at once when many end."""
        while True:
            await self._wake_struck.wait()
            await asyncio.sleep(GATHER)
            self._wake_struck.clear()
            ended, self._ended = self._ended, []
            try:
                await ask(presence.disconnect, connections=ended, now=timezone.now())
            except DatabaseError as error:
                log.warning("ended connections are struck out later: %s", error)
                self._ended += ended
                await asyncio.sleep(TICK)
                self._wake_struck.set()
