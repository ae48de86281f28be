"""The gateway process: its lease, what wakes it, and what it looks for when nothing does."""

import asyncio
import logging
import os
import secrets
import socket
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils import timezone

from applications.models import Environment
from gateway import protocol
from gateway.closed import ClosedConnections
from gateway.database import ask
from gateway.floods import Buckets
from gateway.listener import Listener
from gateway.protocol import Ending
from gateway.registry import Registry
from users import gateway_processes, messages
from users.models import GatewayProcess
from users.presence import Kick

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks into the database
RENEW_EVERY = 5.0  # seconds
RECONCILE_EVERY = 60.0  # seconds
# How far back a look for unheard messages goes. Older ones were found by an earlier look.
LOOK_BACK = timedelta(seconds=30)
# Attempts to connect to this process, of one token and of one user: enough for every device at
# once. A token is counted before the database is asked, a user only when let in: whoever holds a
# token that is revoked keeps nobody else out with it.
ATTEMPTS_AT_ONCE, ATTEMPTS_A_SECOND = 20, 0.5


class Gateway:
    """Everything that this process's sessions share."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.closed = ClosedConnections()
        self.connects = Buckets(
            burst=settings.GATEWAY_CONNECT_BURST, rate=settings.GATEWAY_CONNECT_RATE
        )
        self.connects_of_token = Buckets(burst=ATTEMPTS_AT_ONCE, rate=ATTEMPTS_A_SECOND)
        self.connects_of_user = Buckets(burst=ATTEMPTS_AT_ONCE, rate=ATTEMPTS_A_SECOND)
        self.row = GatewayProcess()
        self.kicks_heard = 0
        self._environments: dict[int, Environment] = {}
        self._listener = Listener(self.heard)
        self._renewed = self._reconciled = 0.0  # the loop's time
        self._tasks: list[asyncio.Task[None]] = []

    # --- Life of the process ---

    async def start(self) -> None:
        await self._begin()
        self._tasks = [
            asyncio.create_task(self._listener.listen_forever()),
            asyncio.create_task(self.closed.strike_out_forever()),
            asyncio.create_task(self._tick_forever()),
        ]
        log.info("gateway %s is open", self.row)

    async def _begin(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.row = await ask(gateway_processes.start, name=name, now=timezone.now())
        self._renewed = self._reconciled = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """Strike everything out and give the lease back. The server has closed the sockets."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Error):
            await ask(gateway_processes.stop, gateway=self.row, now=timezone.now())

    def _close_all(self, ending: Ending) -> None:
        for session in self.registry.all():
            session.end(ending)

    # --- For sessions ---

    def shared(self, environment: Environment) -> Environment:
        """One instance for all sessions of an environment: each would keep its own otherwise."""
        return self._environments.setdefault(environment.pk, environment)

    # --- What wakes it ---

    def heard(self, message: dict[str, Any]) -> None:
        """A message of `users.bus`. One that is not of its form raises, and changes nothing."""
        match message["kind"]:
            case "deliver":
                for session in self.registry.for_users(message["environment"], message["user_ids"]):
                    session.deliver()
            case "kick":
                self.kicks_heard += 1
                kick = Kick.from_bus(message)
                for session in self.registry.for_connections(message["connections"]):
                    session.kick(kick)
            case kind:
                raise ValueError(f"no kind of message: {kind}")

    # --- What it looks for by itself ---

    async def _tick_forever(self) -> None:
        lease = gateway_processes.LEASE.total_seconds()
        while True:
            await asyncio.sleep(TICK)
            try:
                async with asyncio.timeout(lease):
                    await self._tick()
            except (Error, TimeoutError) as error:
                log.warning("the database does not answer: %s", error or "too late")
            except Exception:
                log.exception("a look into the database failed")
            # The other processes count this one as dead, and what they ask to close does not
            # reach it.
            if self._since(self._renewed) > lease and len(self.registry):
                log.error("the lease is over; every connection is closed")
                self._close_all(protocol.UNAVAILABLE)

    async def _tick(self) -> None:
        look_for_messages = self._listener.is_deaf
        if self._since(self._renewed) >= RENEW_EVERY:
            began = asyncio.get_running_loop().time()
            if not await ask(gateway_processes.renew_lease, gateway=self.row, now=timezone.now()):
                log.error("this process was counted as dead: every connection is closed")
                self._close_all(protocol.RESTARTING)
                await self._begin()
                return
            self._renewed = began
            self.connects.forget_full()
            self.connects_of_token.forget_full()
            self.connects_of_user.forget_full()
            # Redis may lose a message and say nothing.
            look_for_messages = True
        for connection in await ask(gateway_processes.kicks, gateway=self.row):
            for session in self.registry.for_connections([connection.pk]):
                session.kick(Kick.of(connection))
        if look_for_messages:
            await self._look_for_messages()
        if self._since(self._reconciled) >= RECONCILE_EVERY:
            await self._reconcile()

    async def _look_for_messages(self) -> None:
        sent_after = timezone.now() - LOOK_BACK
        for environment_id, user_id in await ask(
            messages.recipients_at, gateway=self.row, sent_after=sent_after
        ):
            for session in self.registry.for_users(environment_id, [user_id]):
                session.deliver()

    async def _reconcile(self) -> None:
        """Strike out what was written down for a client that this process does not hold: it may
        have been written although the database could not say so.
        """
        self._reconciled = asyncio.get_running_loop().time()
        old = timezone.now() - timedelta(seconds=RECONCILE_EVERY)
        for key in await ask(gateway_processes.held_since, gateway=self.row, connected_before=old):
            if not any(self.registry.for_connections([key])):
                self.closed.put(key)

    def _since(self, moment: float) -> float:
        return asyncio.get_running_loop().time() - moment
