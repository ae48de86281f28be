"""`python -m bench gateway`: connections, kicks and messages of two gateway processes.

Environment variables: CONNECTIONS (10,000), KICKS (1,000, one after another), PAIRS of users who
write messages (100), SECONDS of writing (10); DATABASE_URL of an empty database and REDIS_URL
replace the wheels.
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
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.models import Environment, Plan
from bench.chat_clients import ChatClient, enter
from bench.machine import database, machine, refuse_database_in_use
from rollcall.processes import Supervisor, module
from users import presence, tokens
from users.models import AppUser, GatewayProcess

AT_ONCE = 64  # clients that connect concurrently
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
    clients = await connect_all(users, ports, pids)
    await kick_some(environment, clients)
    await write_to_each_other(users, ports, pids)
    await kick_all(environment, clients)


async def connect_all(
    users: list[AppUser], ports: list[int], pids: list[int]
) -> dict[str, ChatClient]:
    """Connect all clients, which then stay idle."""
    await asyncio.sleep(1)
    before = [_memory(pid) for pid in pids]
    clients: dict[str, ChatClient] = {}
    waiting = list(enumerate(users))

    async def connect_some() -> None:
        while waiting:
            number, user = waiting.pop()
            client = ChatClient(_first_frame(user))
            clients[user.user_id] = await enter(number, ports[number % len(ports)], client)

    began, spent = time.perf_counter(), _core_seconds(pids)
    await asyncio.gather(*[connect_some() for _ in range(AT_ONCE)])
    seconds, cost = time.perf_counter() - began, _core_seconds(pids) - spent
    await asyncio.sleep(5)
    after = [_memory(pid) for pid in pids]
    each = (sum(after) - sum(before)) / len(users)
    print(
        f"connections      {len(users):,} in {len(pids)} processes, {len(users) / seconds:,.0f} "
        f"let in a second, {cost / len(users) * 1_000:.1f} ms of a core each"
    )
    print(
        f"memory           {each / 1024:.1f} KiB each, {GIB / each:,.0f} idle per GiB; "
        f"a process without any: {before[0] / 2**20:.0f} MiB (PSS)",
        flush=True,
    )
    return clients


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


async def write_to_each_other(users: list[AppUser], ports: list[int], pids: list[int]) -> None:
    """Each pair uses both processes: the sender sends the next message after the last answer."""
    pairs, seconds = _number("PAIRS", 100), _number("SECONDS", 10)
    sent_at: dict[str, float] = {}
    took: list[float] = []
    answers = 0
    going_on = True

    def send(sender: ChatClient, to: str) -> None:
        name = f"{to} {time.perf_counter()}"
        sent_at[name] = time.perf_counter()
        sender.say({"id": 1, "call": "message.send", "to": to, "client_id": name, "body": name})

    def answered(to: str, answer: dict[str, Any]) -> None:
        nonlocal answers
        if "ok" in answer:
            answers += answer["ok"]
            if going_on:
                send(senders[to], to)

    def received(to: str, event: dict[str, Any]) -> None:
        if event.get("event") == "message":
            took.append(time.perf_counter() - sent_at.pop(event["body"]))
            recipients[to].say(
                {"id": 2, "call": "message.acknowledge", "message_ids": [event["message_id"]]}
            )

    senders, recipients = {}, {}
    for sender, recipient in zip(users[:pairs], users[-pairs:], strict=True):
        to = recipient.user_id
        recipients[to] = await enter(
            0, ports[0], ChatClient(_first_frame(recipient), partial(received, to))
        )
        senders[to] = await enter(
            0, ports[1], ChatClient(_first_frame(sender), partial(answered, to))
        )
    began, spent = time.perf_counter(), _core_seconds(pids)
    for to, client in senders.items():
        send(client, to)
    await asyncio.sleep(seconds)
    going_on = False
    stored = answers / (time.perf_counter() - began)
    for _ in range(100):
        if not sent_at:
            break
        await asyncio.sleep(0.1)
    cost = (_core_seconds(pids) - spent) / max(1, len(took))
    print(
        f"messages         {stored:,.0f}/s stored, given out and acknowledged, {pairs} pairs, "
        f"{cost * 1_000:.1f} ms of a core each"
    )
    print(f"                 until received    {_percentiles(took)}")
    print(f"                 {answers:,} stored, {len(took):,} received", flush=True)
    for client in (*senders.values(), *recipients.values()):
        client.transport.close()


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


def _core_seconds(pids: list[int]) -> float:
    """CPU seconds that these processes have used."""
    ticks = 0
    for pid in pids:
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
