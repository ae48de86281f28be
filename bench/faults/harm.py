"""What is done, and to whom. Each is a context: it lasts, and is over.

Everything is done without special rights, to processes of this run: by signals, by limits of
resources that are lowered while they run (prlimit), and by statements and commands of the stores.
"""

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import redis

from bench.faults import place
from bench.faults.world import SERVE, World, children, descendants
from rollcall.stores import postgres, valkey

MIB = 1_048_576
SHORT, LONG = 8.0, 20.0  # seconds; LONG is longer than a gateway's lease
Harm = Callable[[World], AbstractContextManager[None]]


class Impossible(Exception):
    """This machine does not allow it; the text says why."""


@dataclass(frozen=True)
class Fault:
    name: str
    harm: Harm
    lasts: float = 0.0  # seconds; 0 for what is over at once


# --- Signals ------------------------------------------------------------------------------------
def one(name: str, world: World) -> list[int]:
    return [world.pid(name)]


def family(name: str, world: World) -> list[int]:
    return descendants(world.pid(name))


def a_child(name: str, world: World) -> list[int]:
    return children(world.pid(name))[:1]


def a_backend(world: World) -> list[int]:
    """A process of PostgreSQL that serves the product."""
    with _database() as database:
        found = database.execute(f"SELECT pid {OTHERS} ORDER BY backend_start LIMIT 1")
        return [pid for (pid,) in found.fetchall()]


Whom = Callable[[World], list[int]]


@contextmanager
def killed(whom: Whom, world: World) -> Iterator[None]:
    _signal(whom(world), signal.SIGKILL)
    yield


@contextmanager
def stopped(whom: Whom, world: World) -> Iterator[None]:
    pids = whom(world)
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        if pid > 1:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


# --- Limits of processes --------------------------------------------------------------------------
def no_more_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def no_more_memory(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize() + MIB


def files_cannot_grow(_: int) -> int:
    return 0


@contextmanager
def limited(kind: int, limit: Callable[[int], int], whom: Whom, world: World) -> Iterator[None]:
    """Lower the soft limit of these processes; raise it again, also of what they have started."""
    before: dict[int, tuple[int, int]] = {}
    for pid in whom(world):
        with suppress(OSError):
            usual = resource.prlimit(pid, kind)
            resource.prlimit(pid, kind, (limit(pid), usual[1]))
            before[pid] = usual
    if not before:
        raise Impossible("the limits of another user's processes cannot be changed")
    try:
        yield
    finally:
        for pid in {*before, *whom(world)}:
            with suppress(OSError):
                resource.prlimit(pid, kind, before.get(pid, usual))


# --- Stores ---------------------------------------------------------------------------------------
def _database() -> psycopg.Connection[tuple[int]]:
    return psycopg.connect(postgres.url(place.STORES), autocommit=True, connect_timeout=5)


OTHERS = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"


@contextmanager
def no_connections_left(_: World) -> Iterator[None]:
    """Others have taken all connections of PostgreSQL."""
    with ExitStack() as taken:
        first = taken.enter_context(_database())
        first.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError):
                taken.enter_context(_database())
        yield


@contextmanager
def read_only(_: World) -> Iterator[None]:
    setting = "ALTER SYSTEM SET default_transaction_read_only = "
    with _database() as database:
        database.execute("SET default_transaction_read_only = off")
        database.execute(f"{setting} on")
        database.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            database.execute(f"{setting} off")
            database.execute("SELECT pg_reload_conf()")


@contextmanager
def configured(name: str, value: str, _: World) -> Iterator[None]:
    """A limit of Valkey, and all its clients connect again."""
    with redis.Redis.from_url(valkey.url(place.STORES)) as client:
        before = client.config_get(name)[name]
        client.config_set(name, value)
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        try:
            yield
        finally:
            client.config_set(name, before)


# --- All of it ------------------------------------------------------------------------------------
def _all() -> Iterator[Fault]:
    processes: dict[str, Whom] = {
        "web": partial(one, "web"),
        "one of two web workers": partial(a_child, "web"),
        "gateway": partial(one, "gateway"),
        "worker": partial(one, "worker"),
        "beat": partial(one, "beat"),
        "supervisor": partial(one, SERVE),
        "valkey": partial(one, "valkey"),
        "postgres": partial(one, "postgres"),
    }
    for name, whom in processes.items():
        yield Fault(f"kill -9: {name}", partial(killed, whom))
    yield Fault("kill -9: a backend of postgres", partial(killed, a_backend))
    everybody = processes | {
        "web": partial(family, "web"),
        "postgres": partial(family, "postgres"),
        "whole product": lambda world: world.product(),
    }
    for name, whom in everybody.items():
        lasts = LONG if name in ("gateway", "whole product") else SHORT
        yield Fault(f"SIGSTOP {lasts:g} s: {name}", partial(stopped, whom), lasts)
    for name in ("web", "gateway", "worker"):
        for what, kind, limit in (
            ("files", resource.RLIMIT_NOFILE, no_more_files),
            ("memory", resource.RLIMIT_AS, no_more_memory),
        ):
            harm = partial(limited, kind, limit, partial(family, name))
            yield Fault(f"no more {what}: {name}", harm, SHORT)
    full = partial(limited, resource.RLIMIT_FSIZE, files_cannot_grow)
    yield Fault(
        "no file can grow: whole product", partial(full, lambda world: world.product()), SHORT
    )
    yield Fault("no file can grow: postgres", partial(full, partial(family, "postgres")), SHORT)
    yield Fault("no connections left: postgres", no_connections_left, SHORT)
    yield Fault("read-only: postgres", read_only, SHORT)
    yield Fault("no memory: valkey", partial(configured, "maxmemory", "1mb"), SHORT)
    yield Fault("no connections left: valkey", partial(configured, "maxclients", "1"), SHORT)


FAULTS = list(_all())
