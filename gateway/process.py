"""The gateway process: its lease, its handling of bus messages, and its polling of the database."""

import asyncio
import logging
import os
import secrets
import socket
from contextlib import suppress
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import Error
from django.utils import timezone

from applications import hourly
from applications.models import Environment
from gateway.admission import Admissions
from gateway.closed import ClosedConnections
from gateway.closings import Closing, Reason
from gateway.database import run_in_thread
from gateway.floods import Buckets
from gateway.listener import Listener
from gateway.mailbox import Mailbox
from gateway.opened import OpenedConnections
from gateway.protocols import session_at
from gateway.registry import Registry
from users import bus, gateway_processes, messages, notices, table_statistics
from users.models import GatewayProcess
from users.presence import Kick

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two polls of the database
RENEW_EVERY = 5.0  # seconds
RECONCILE_EVERY = 60.0  # seconds
# How old the messages are that a poll looks for. Earlier polls found older ones.
LOOK_BACK = timedelta(seconds=30)
# Connection attempts to this process, per token and per user: enough for all devices of a user at
# once. Tokens are counted before any query, users only after admission, so that attempts with a
# revoked token do not lock the user out.
ATTEMPTS_AT_ONCE, ATTEMPTS_A_SECOND = 20, 0.5


class Gateway:
    """The state that the sessions of this process share."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.admissions = Admissions(self)
        self.mailbox = Mailbox()
        self.opened, self.closed = OpenedConnections(), ClosedConnections()
        self.connects = Buckets(
            burst=settings.GATEWAY_CONNECT_BURST, rate=settings.GATEWAY_CONNECT_RATE
        )
        self.requests = Buckets(
            burst=settings.GATEWAY_CONNECT_BURST, rate=settings.GATEWAY_CONNECT_RATE
        )
        self.connects_of_token = Buckets(burst=ATTEMPTS_AT_ONCE, rate=ATTEMPTS_A_SECOND)
        self.connects_of_user = Buckets(burst=ATTEMPTS_AT_ONCE, rate=ATTEMPTS_A_SECOND)
        self.row = GatewayProcess()
        self.kicks_received = 0
        self._environments: dict[int, Environment] = {}
        self._reading = asyncio.Lock()
        self._listener = Listener(self.on_message)
        self._renewed = self._reconciled = 0.0  # the loop's time
        self._tasks: list[asyncio.Task[None]] = []

    # --- Start and stop ---

    async def start(self) -> None:
        session_at("")  # loads the protocols now, not while a first client waits
        await self._begin()
        self._tasks = [
            asyncio.create_task(self._listener.listen_forever()),
            asyncio.create_task(self.opened.tell_forever()),
            asyncio.create_task(self.closed.delete_forever()),
            asyncio.create_task(self._tick_forever()),
        ]
        log.info("gateway %s is open", self.row)

    async def _begin(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.row = await run_in_thread(gateway_processes.start, name=name, now=timezone.now())
        self._renewed = self._reconciled = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """Delete the rows of this process and its connections. The sockets are closed already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Error):
            await run_in_thread(gateway_processes.stop, gateway=self.row, now=timezone.now())

    def _close_all(self, reason: Reason) -> None:
        for session in self.registry.all():
            session.end(Closing(reason))

    # --- For sessions ---

    async def environment(self, environment_id: int) -> Environment | None:
        """One instance for all sessions of an environment, to save memory."""
        if environment_id not in self._environments:
            async with self._reading:  # one query, not one for each client who comes meanwhile
                if environment_id not in self._environments:
                    found = await run_in_thread(_environment, environment_id)
                    if found is None:
                        return None
                    self._environments[environment_id] = found
        return self._environments[environment_id]

    # --- Bus messages ---

    def on_message(self, message: dict[str, Any]) -> None:
        """Handle a message of `users.bus`. An invalid one raises and changes nothing."""
        match message["kind"]:
            case "deliver":
                for session in self.registry.for_users(message["environment"], message["user_ids"]):
                    session.deliver()
            case "notify":
                for session in self.registry.for_users(message["environment"], message["user_ids"]):
                    session.notify()
            case "presence":
                for user_id, about_ids in message["changed"].items():
                    for session in self.registry.for_users(message["environment"], [user_id]):
                        session.presence_changed(about_ids)
            case "kick":
                self.kicks_received += 1
                kick, since = Kick.from_bus(message), bus.sent_at(message)
                sessions = list(self.registry.for_connections(message["connections"]))
                for session in sessions:
                    session.kick(kick, since=since)
                if sessions:
                    request_id = str(message.get("request_id", ""))
                    facts = {"connections": len(sessions), "reason": kick.reason.value}
                    log.info("kicked", extra={"facts": facts | {"request": request_id}})
            case kind:
                raise ValueError(f"unknown kind of message: {kind}")

    # --- Polling ---

    async def _tick_forever(self) -> None:
        lease = gateway_processes.LEASE.total_seconds()
        while True:
            await asyncio.sleep(TICK)
            try:
                async with asyncio.timeout(lease):
                    await self._tick()
            except (Error, TimeoutError) as error:
                log.warning("the database does not answer: %s", error or "timeout")
            except Exception:
                log.exception("polling the database failed")
            # The other processes now count this one as dead, and its connections as closed.
            if self._since(self._renewed) > lease and len(self.registry):
                log.error("the lease has expired: every connection is closed")
                self._close_all(Reason.UNAVAILABLE)

    async def _tick(self) -> None:
        look_for_messages = not self._listener.is_listening
        if self._since(self._renewed) >= RENEW_EVERY:
            began = asyncio.get_running_loop().time()
            if not await run_in_thread(
                gateway_processes.renew_lease, gateway=self.row, now=timezone.now()
            ):
                log.error("this process was counted as dead: every connection is closed")
                self._close_all(Reason.RESTARTING)
                await self._begin()
                return
            self._renewed = began
            self.connects.forget_full()
            self.requests.forget_full()
            self.connects_of_token.forget_full()
            self.connects_of_user.forget_full()
            with suppress(redis.RedisError):  # it waits for the next time
                await run_in_thread(hourly.write)
            # Redis may lose messages silently.
            look_for_messages = True
        for connection in await run_in_thread(gateway_processes.kicks, gateway=self.row):
            for session in self.registry.for_connections([connection.pk]):
                kicked_at = connection.kicked_at
                session.kick(
                    Kick.of(connection), since=kicked_at.timestamp() if kicked_at else None
                )
        if look_for_messages:
            await self._look_for_messages()
        await run_in_thread(table_statistics.refresh)
        if self._since(self._reconciled) >= RECONCILE_EVERY:
            await self._reconcile()

    async def _look_for_messages(self) -> None:
        sent_after = timezone.now() - LOOK_BACK
        for environment_id, user_id in await run_in_thread(
            messages.recipients_at, gateway=self.row, sent_after=sent_after
        ):
            for session in self.registry.for_users(environment_id, [user_id]):
                session.deliver()
        for environment_id, user_id in await run_in_thread(
            notices.recipients_at, gateway=self.row, posted_after=sent_after
        ):
            for session in self.registry.for_users(environment_id, [user_id]):
                session.notify()

    async def _reconcile(self) -> None:
        """Delete connections of this process that it does not hold: an insert may have committed
        although the database's answer was lost.
        """
        self._reconciled = asyncio.get_running_loop().time()
        old = timezone.now() - timedelta(seconds=RECONCILE_EVERY)
        for key in await run_in_thread(
            gateway_processes.held_since, gateway=self.row, connected_before=old
        ):
            if not any(self.registry.for_connections([key])):
                self.closed.put(key)

    def _since(self, moment: float) -> float:
        return asyncio.get_running_loop().time() - moment


def _environment(environment_id: int) -> Environment | None:
    return Environment.objects.select_related("application").filter(pk=environment_id).first()
