"""`python -m bench soak`: all of `serve` under steady load, and whether anything grows.

Options: `--minutes 30`, `--rate 0` (calls a second; 0: half of what the machine does, measured for
10 seconds first) and `--clients 300` (of the gateway, each of which writes to the next one every 10
seconds). DATABASE_URL of an empty database and REDIS_URL replace the wheels.

App servers register users who are known, and ban and unban them: the ledger of bans, the audit
trail and messages get rows. Each minute it takes the memory and open files of all processes, the
sessions of PostgreSQL, and the bytes of tables and indexes for each row; in the end it compares the
last quarter with the second one: the first is for caches that fill.
"""

import argparse
import asyncio
import http.client
import itertools
import json
import os
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bench.machine import machine
from bench.upgrade.callers import App
from bench.upgrade.versions import HOST, Version

THREADS, USERS = 8, 500
WRITES_EVERY = 10.0  # seconds
MEASURED_FOR = 10.0  # seconds
MOST_GROWTH = 0.05
TABLES = ("users_appuser", "users_message", "moderation_ban", "applications_auditevent")


class Load:
    """Calls of app servers, `rate` a second of all together; 0: as many as there can be."""

    def __init__(self, port: int, app: App, rate: float) -> None:
        self._port, self._headers, self._rate = port, app.headers, rate
        self.answers: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._began, self._over = time.monotonic(), threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=30)
        while not self._over.is_set():
            number = next(self._numbers)
            if self._rate:
                due = self._began + number / self._rate
                if self._over.wait(max(0.0, due - time.monotonic())):
                    return
            user = f"soak-{number // 4 % USERS}"
            call = ("getToken", "block", "unblock", "getToken")[number % 4]
            body = f"userId={user}&name=a&minute=60"
            try:
                connection.request("POST", f"/user/{call}.json", body, self._headers)
                response = connection.getresponse()
                response.read()
                self.answers[str(response.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.answers[type(error).__name__] += 1
                connection.close()


class Chat:
    """Clients that write to each other, and acknowledge what they get."""

    def __init__(self, port: int, app_key: str, every_token: list[str]) -> None:
        self._url, self._app_key = f"ws://{HOST}:{port}/gateway", app_key
        self.heard: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        count = len(every_token)
        self._tasks = [
            asyncio.run_coroutine_threadsafe(
                self._stay(token, f"chat-{(number + 1) % count}", number / count), self._loop
            )
            for number, token in enumerate(every_token)
        ]

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._loop.call_soon_threadsafe(self._loop.call_later, 1.0, self._loop.stop)
        self._thread.join()

    async def _stay(self, token: str, to: str, phase: float) -> None:
        await asyncio.sleep(phase * WRITES_EVERY)
        while True:
            try:
                async with connect(self._url, compression=None) as socket:
                    await socket.send(json.dumps({"app_key": self._app_key, "token": token}))
                    await asyncio.gather(self._listen(socket), self._write(socket, to))
            except (OSError, ConnectionClosed, InvalidHandshake):
                self.heard["lost connections"] += 1
            await asyncio.sleep(1)

    async def _listen(self, socket: Any) -> None:
        async for text in socket:
            event = json.loads(text)
            if event.get("event") == "message":
                self.heard["messages"] += 1
                ids = [event["message_id"]]
                call = {"id": 0, "call": "message.acknowledge", "message_ids": ids}
                await socket.send(json.dumps(call))

    async def _write(self, socket: Any, to: str) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(WRITES_EVERY)
            call = {"id": number, "call": "message.send", "to": to, "body": "Hi"}
            await socket.send(json.dumps(call | {"client_id": f"{time.time_ns()}"}))


def sample(process: int) -> dict[str, float]:
    """What may grow, by name."""
    found: dict[str, float] = dict.fromkeys(("memory, MiB", "open files"), 0)
    for each in _family(process):
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            found["open files"] += len(list(Path(f"/proc/{each}/fd").iterdir()))
        except OSError:
            continue  # it has ended
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        found["memory, MiB"] += int(line.split()[1]) / 1024
    with psycopg.connect(os.environ["DATABASE_URL"]) as db:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        found["sessions of PostgreSQL"] = (db.execute(query).fetchone() or [0])[0]
        for table in TABLES:
            query = sql.SQL(
                "SELECT pg_table_size({name}::regclass), pg_indexes_size({name}::regclass),"
                " greatest(count(*), 1) FROM {table}"
            ).format(name=sql.Literal(table), table=sql.Identifier(table))
            size, indexes, rows = db.execute(query).fetchone() or (0, 0, 1)
            found[f"{table}, bytes a row"] = size / rows
            found[f"{table}, indexes, bytes a row"] = indexes / rows
    return found


def _family(process: int) -> list[int]:
    """The process and all below it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [process, *(each for child in children for each in _family(int(child)))]


def report(samples: list[dict[str, float]]) -> bool:
    """Print the table; whether all is flat."""
    quarter = max(len(samples) // 4, 1)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    is_flat = True
    print(f"\n{'':44} {'second quarter':>15} {'last quarter':>15} {'growth':>8}")
    for name in samples[0]:
        before, after = (statistics.median(each[name] for each in part) for part in (early, late))
        growth = after / before - 1 if before else 0.0
        is_flat &= growth <= MOST_GROWTH
        print(f"{name:44} {before:15,.1f} {after:15,.1f} {growth:8.1%}")
    return is_flat


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench soak")
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--clients", type=int, default=300)
    options = parser.parse_args(sys.argv[2:])
    folder = settings.DATA_DIR / "soak"
    folder.mkdir()
    version = Version("serve", settings.BASE_DIR, folder)
    app = App(version)
    version.start()
    rate = options.rate or _half(version.port, app)
    print(machine(), f"{rate:.0f} calls a second, {options.clients} chat clients.", flush=True)
    load = Load(version.port, app, rate)
    chat = Chat(version.gateway_port, app.app_key, _tokens(version.port, app, options.clients))
    samples = []
    try:
        for minute in range(1, options.minutes + 1):
            time.sleep(60)
            samples.append(sample(version.pid))
            figures = ", ".join(f"{name} {value:,.0f}" for name, value in samples[-1].items())
            print(f"{minute:3} min: {figures}", flush=True)
    finally:
        chat.end()
        load.end()
        version.stop()
    is_flat = report(samples)
    print(f"\nanswers: {dict(load.answers)}; chat: {dict(chat.heard)}")
    sys.exit(0 if is_flat else 1)


def _tokens(port: int, app: App, count: int) -> list[str]:
    """Of users chat-0, chat-1 and so on, who are registered."""
    connection, found = http.client.HTTPConnection(HOST, port, timeout=30), []
    for number in range(count):
        body = f"userId=chat-{number}&name=a"
        connection.request("POST", "/user/getToken.json", body, app.headers)
        found.append(json.loads(connection.getresponse().read())["token"])
    return found


def _half(port: int, app: App) -> float:
    load = Load(port, app, 0)
    time.sleep(MEASURED_FOR)
    load.end()
    return load.answers.total() / MEASURED_FOR / 2
