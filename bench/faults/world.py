"""The processes that are treated badly, and those that they have started.

The stores and `manage.py serve` are children of one supervisor, which starts again whichever dies,
as systemd does in production.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command

from bench.faults import place
from rollcall import orphans
from rollcall.processes import Process, Supervisor
from rollcall.stores import postgres, valkey

STORES = ("postgres", "valkey")
SERVE = "serve"


class World:
    """`with World() as world:` all of it runs."""

    def __init__(self) -> None:
        outer = place.FOLDER / "outer"
        outer.mkdir()
        self._supervisor = Supervisor(folder=outer, say=lambda _: None)

    def __enter__(self) -> "World":
        self._supervisor.__enter__()
        servers = [valkey.server(place.STORES), postgres.server(place.STORES, max_connections=100)]
        for server in servers:
            self._start(
                Process(
                    server.name,
                    tuple(server.command),
                    stop_signal=server.stop_signal,
                    is_store=True,
                    environment=server.environment,
                )
            )
        for server in servers:
            server.wait_until_ready(self._supervisor.running)
        call_command("migrate", verbosity=0)
        return self

    def __exit__(self, *about: object) -> None:
        self._supervisor.__exit__(*about)

    def serve(self) -> None:
        """Start the product."""
        command = (sys.executable, "manage.py", "serve")
        self._start(Process(SERVE, command, stop_within=20))

    def _start(self, process: Process) -> None:
        self._supervisor.start(process, log=place.FOLDER / f"{process.name}.log")

    def wait(self, seconds: float, until: Callable[[], object] = lambda: False) -> bool:
        """Let time pass, at most until something holds; return whether it does. Meanwhile what has
        died is started again.
        """
        end = time.monotonic() + seconds
        while not until():
            if not self._supervisor.running():
                raise SystemExit(130)
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def pid(self, name: str) -> int:
        """Of a store, of `serve` or of a process of the product; 0 while it does not run."""
        if name in (*STORES, SERVE):
            return self._supervisor.pids().get(name, 0)
        record = orphans.read(place.PRODUCT)
        recorded = record.processes if record else []
        return next((each.pid for each in recorded if each.name == name), 0)

    def product(self) -> list[int]:
        """All processes of the product."""
        return descendants(self.pid(SERVE))


def children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """With the process itself, which comes first."""
    if not pid or not os.path.exists(f"/proc/{pid}"):
        return []
    return [pid, *(each for child in children(pid) for each in descendants(child))]
