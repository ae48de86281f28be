"""`python -m bench gateway`: connections, kicks and messages of two gateway processes.

Environment variables: CONNECTIONS (10,000), KICKS (1,000, one after another), WRITERS (1,000), RATE
(2,000 messages a second of all writers together) and SECONDS of writing (10); DATABASE_URL of an
empty database and REDIS_URL replace the wheels.
"""

import asyncio
import logging
import os
import random
import re
import resource
import socket
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.models import Environment, Plan
from bench.chat_clients import ChatClient, enter
from bench.machine import database, machine, refuse_database_in_use
from moderation import bans
from rollcall.processes import Supervisor, module
from users import presence, tokens
from users.models import AppUser, GatewayProcess

GIB = 2**30
BY = Actor.system("bench")


def main() -> None:
    count = int(os.environ.get("CONNECTIONS", "10000"))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    refuse_database_in_use()
    print(machine(), f"{database()}.", flush=True)
    logging.disable(logging.INFO)  # of this process
    environment = environments.create_application(
        name="Bench", plan=Plan.PRO, by=BY, now=timezone.now()
    ).environments["production"]
    AppUser.objects.bulk_create(
        AppUser(environment=environment, user_id=f"user-{number}", registered_at=timezone.now())
        for number in range(count)
    )
    users = list(AppUser.objects.filter(environment=environment).select_related("environment"))
    with Supervisor() as supervisor:
        ports = [_free_port() for _ in range(2)]
        for port in ports:
            supervisor.start(
                module(
                    f"gateway {port}",
                    "gateway",
                    {"GATEWAY_PORT": str(port), "GATEWAY_CONNECT_BURST": "100000"},
                ),
                log=settings.DATA_DIR / f"gateway-{port}.log",
            )
        while supervisor.running() and GatewayProcess.objects.count() < len(ports):
            time.sleep(0.1)
        connections.close_all()
        pids = [int(gateway.name.split(":")[1]) for gateway in GatewayProcess.objects.all()]
        asyncio.run(measure(environment, users, ports, pids))


async def measure(
    environment: Environment, users: list[AppUser], ports: list[int], pids: list[int]
) -> None:
    costs = Costs(pids)
    clients = await connect_all(environment, users, ports, costs)
    await kick_some(environment, clients)
    await write_to_each_other(users, ports, costs)
    await kick_all(environment, clients)


async def connect_all(
    environment: Environment, users: list[AppUser], ports: list[int], costs: "Costs"
) -> dict[str, ChatClient]:
    """Connect all clients at once, which then stay idle. Meanwhile somebody is banned and
    unbanned, again and again.
    """
    await asyncio.sleep(1)
    before = [_memory(pid) for pid in costs.pids]
    clients = {user.user_id: ChatClient(_first_frame(user)) for user in users}
    calls: list[float] = []
    banning = asyncio.create_task(_ban_and_lift(environment, calls))
    began, spent = time.perf_counter(), await asyncio.to_thread(costs.spent)
    in_after = []

    async def connect(number: int, client: ChatClient) -> None:
        await enter(number, ports[number % len(ports)], client)
        in_after.append(time.perf_counter() - began)

    await asyncio.gather(*[connect(*each) for each in enumerate(clients.values())])
    cost = (await asyncio.to_thread(costs.spent)) - spent
    banning.cancel()
    await asyncio.sleep(5)
    after = [_memory(pid) for pid in costs.pids]
    each = (sum(after) - sum(before)) / len(users)
    print(
        f"let in           {len(users):,} who come at once, by {len(costs.pids)} processes, in "
        f"{max(in_after):.1f} s: {len(users) / max(in_after):,.0f} a second, {cost.per(len(users))}"
    )
    print(f"                 ban and lift meanwhile: {_percentiles(calls)}")
    print(
        f"memory           {each / 1024:.1f} KiB each, {GIB / each:,.0f} idle per GiB; "
        f"a process without any: {before[0] / 2**20:.0f} MiB (PSS)",
        flush=True,
    )
    return clients


async def _ban_and_lift(environment: Environment, took: list[float]) -> None:
    about = {"environment": environment, "user_ids": ["nobody"], "by": BY}

    def both() -> float:
        began = time.perf_counter()
        bans.impose(**about, expires_at=None, reason="", now=timezone.now())
        bans.lift(**about, now=timezone.now())
        return time.perf_counter() - began

    while True:
        took.append(await asyncio.to_thread(both))
        await asyncio.sleep(0.02)


async def kick_some(environment: Environment, clients: dict[str, ChatClient]) -> None:
    """Kick random clients one by one; measure from the call and the commit to the close frame."""
    since_call, since_commit = [], []
    chosen = random.sample(sorted(clients), min(len(clients) // 2, _number("KICKS", 1_000)))
    for user_id in chosen:
        client = clients.pop(user_id)
        called, committed = await asyncio.to_thread(_kick, environment, user_id)
        await client.closed
        since_call.append(client.closed_at - called)
        since_commit.append(client.closed_at - committed)
        await asyncio.sleep(0.005)
    print(f"kick             since the call    {_percentiles(since_call)}")
    print(f"                 since its commit  {_percentiles(since_commit)}", flush=True)


def _kick(environment: Environment, user_id: str) -> tuple[float, float]:
    committed = []
    called = time.perf_counter()
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.perf_counter()))
        presence.kick(environment=environment, user_id=user_id, by=BY, now=timezone.now())
    connections.close_all()
    return called, committed[0]


@dataclass
class Writer:
    """Writes numbered messages to the next writer, and checks those that it receives."""

    user: AppUser
    to: str
    client: ChatClient | None = None
    sent: int = 0
    stored: int = 0
    received: int = 0  # the number of the last message
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    sent_at: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def write(self) -> None:
        self.sent += 1
        body = f"{self.user.user_id} {self.sent}"
        self.sent_at[body] = time.perf_counter()
        self.say({"id": 1, "call": "message.send", "to": self.to, "client_id": body, "body": body})

    def hear(self, frame: dict[str, Any], sender: "Writer") -> None:
        if frame.get("event") == "message":
            if frame["body"] != f"{sender.user.user_id} {self.received + 1}":
                self.wrong.append(f"{frame['body']} after {self.received}")
            self.received += 1
            if (written := sender.sent_at.pop(frame["body"], None)) is not None:
                self.took.append(time.perf_counter() - written)
            key = frame["message_id"]
            self.say({"id": 2, "call": "message.acknowledge", "message_ids": [key]})
        elif frame.get("id") == 1 and frame["ok"]:
            self.stored += 1
        elif not frame.get("ok") or frame["acknowledged"] != 1:
            self.refused.append(str(frame))

    def say(self, frame: dict[str, Any]) -> None:
        assert self.client is not None  # noqa: S101
        self.client.say(frame)


async def write_to_each_other(users: list[AppUser], ports: list[int], costs: "Costs") -> None:
    """Each writer sends at a steady pace to the next one, who is at the other process."""
    number, rate, seconds = (
        _number("WRITERS", 1_000),
        _number("RATE", 2_000),
        _number("SECONDS", 10),
    )
    chosen = users[:number]
    writers = [
        Writer(user, to.user_id) for user, to in zip(chosen, chosen[1:] + chosen[:1], strict=True)
    ]
    for place, writer in enumerate(writers):
        writer.client = ChatClient(
            _first_frame(writer.user), partial(writer.hear, sender=writers[place - 1])
        )
        await enter(place, ports[place % len(ports)], writer.client)
    began, spent = time.perf_counter(), await asyncio.to_thread(costs.spent)
    for count in range(rate * seconds):
        if (early := began + count / rate - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        writers[count % number].write()
    last = time.perf_counter()
    while time.perf_counter() < last + 10 and any(
        writer.stored < writer.sent or writer.sent_at for writer in writers
    ):
        await asyncio.sleep(0.05)
    took = time.perf_counter() - began
    await asyncio.sleep(1)  # the last acknowledgements
    cost = (await asyncio.to_thread(costs.spent)) - spent
    sent, stored, received = (
        sum(getattr(writer, name) for writer in writers) for name in ("sent", "stored", "received")
    )
    print(
        f"messages         {received / took:,.0f} a second of {number:,} connections, stored, "
        f"given out and acknowledged, {cost.per(received)}"
    )
    delays = [delay for writer in writers for delay in writer.took]
    print(f"                 until received    {_percentiles(delays)}")
    refused, wrong = (
        [each for writer in writers for each in getattr(writer, name)]
        for name in ("refused", "wrong")
    )
    print(
        f"                 {sent:,} sent, {stored:,} stored, {received:,} received; "
        f"{len(wrong)} lost, twice or out of order, {len(refused)} refused",
        *wrong[:3],
        *refused[:3],
        flush=True,
    )
    for writer in writers:
        if writer.client is not None:
            writer.client.transport.close()


async def kick_all(environment: Environment, clients: dict[str, ChatClient]) -> None:
    """Revoke all tokens, which closes all connections."""
    began = time.perf_counter()
    await asyncio.to_thread(_revoke_all, environment)
    await asyncio.gather(*[client.closed for client in clients.values()])
    print(f"revoke all       {len(clients):,} closed in {time.perf_counter() - began:.1f} s")
    print(f"load average at the end: {os.getloadavg()[0]:.1f}")


def _revoke_all(environment: Environment) -> None:
    tokens.revoke_all(environment=environment, by=BY, now=timezone.now())
    connections.close_all()


def _first_frame(user: AppUser) -> dict[str, Any]:
    return {
        "app_key": user.environment.app_key,
        "token": tokens.issue(user, now=timezone.now()),
        "device": "bench",
    }


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the gateways and of PostgreSQL, and transactions; one for each statement."""

    gateways: float
    database: float
    statements: int

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(
            self.gateways - earlier.gateways,
            self.database - earlier.database,
            self.statements - earlier.statements,
        )

    def per(self, count: int) -> str:
        return (
            f"{self.gateways / count * 1_000:.2f} + {self.database / count * 1_000:.2f} ms of a "
            f"core each (gateways + PostgreSQL), {self.statements / count:.2f} statements each"
        )


class Costs:
    def __init__(self, pids: list[int]) -> None:
        self.pids = pids

    def spent(self) -> Cost:
        """So far. PostgreSQL's share is 0 if it runs on another machine."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            backends = [pid for (pid,) in cursor.fetchall()]
            # Each session reports its transactions with a delay of up to a second.
            cursor.execute("SELECT pg_sleep(1.1), pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            )
            [statements] = cursor.fetchone()
        connections.close_all()
        return Cost(_core_seconds(self.pids), _core_seconds(backends), statements)


def _core_seconds(pids: list[int]) -> float:
    """CPU seconds that these processes have used."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            # After the name in parentheses, which may contain anything: state, parent, ...
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """Bytes of memory, with a share of what processes share (PSS). Excludes kernel buffers."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    [kilobytes] = re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(kilobytes) * 1024


def _percentiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=1_000)
    named = {"p50": cuts[499], "p90": cuts[899], "p99": cuts[989], "most": max(seconds)}
    return "  ".join(f"{name} {value * 1_000:.1f} ms" for name, value in named.items())


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
