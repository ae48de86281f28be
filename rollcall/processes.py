"""Child processes that live and end as one, for `manage.py demo` and `manage.py serve`.

- When one child ends, for whatever reason, all end.
- Each child leads a process group: a Ctrl-C in the terminal reaches the supervisor alone, and
  whatever a child started ends with it.
- Ending is polite for `GRACE` seconds, then forced; whoever asks a second time forces it at once.
- When the supervisor is killed outright, a guard ends the groups: it reads from a pipe that closes
  with the supervisor, however that dies.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

GRACE = 8  # seconds between asking a process to end and killing it; container runtimes allow 10
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A shell, because it costs nothing to start and no memory to keep.
GUARD = f"""
groups=
while read -r group; do groups="$groups -$group"; done
kill -s TERM -- $groups
sleep {GRACE}
kill -s KILL -- $groups
"""


@dataclass(frozen=True)
class Process:
    name: str
    command: str  # what follows `python -m`, in words parted by blanks


# Threads, not forks: tasks wait, for the database and for slow webhook endpoints, which may hold
# `applications.tasks.AT_ONCE` of them. Gossip, mingle and heartbeats are for workers that watch
# each other.
WORKER = Process(
    "worker",
    "celery -q -A rollcall worker -P threads -c 12 --without-gossip --without-mingle"
    " --without-heartbeat",
)
BEAT = Process("beat", "celery -q -A rollcall beat")


class ChildEnded(Exception):
    """A child ended although nobody asked it to."""

    def __init__(self, name: str, status: int) -> None:
        self.name = name
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        super().__init__(f"{name} {how}, so everything was stopped")


class Supervisor:
    """`with Supervisor() as supervisor:` start processes, then `wait()`; leaving it ends them."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._asked_to_stop = 0  # how often

    def __enter__(self) -> "Supervisor":
        # A flag, not an exception: one that strikes between starting a child and noting its id
        # would leave the child behind.
        self._handlers = {number: signal.signal(number, self._ask) for number in STOP_SIGNALS}
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while any(child.poll() is None for child in self._children.values()):
            if self._asked_to_stop > 1 or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        # The group, not the child: it may be gone and have left something behind.
        self._signal_all(signal.SIGKILL)
        for child in self._children.values():
            child.wait()
        self._guard.kill()
        self._guard.communicate()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(
        self, process: Process, *, log: Path | None = None, env: dict[str, str] | None = None
    ) -> None:
        """Start a child. Its output goes into `log`, begun anew, or to this terminal."""
        with open(log or os.devnull, "wb") as file:
            output = file if log else None
            child = subprocess.Popen(
                [sys.executable, "-m", *process.command.split()],
                cwd=settings.BASE_DIR,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._children[process.name] = child
        assert self._guard.stdin is not None  # noqa: S101
        self._guard.stdin.write(b"%d\n" % child.pid)
        self._guard.stdin.flush()

    def running(self) -> bool:
        """False once someone asked to stop. Raises ChildEnded."""
        for name, child in [*self._children.items(), ("guard", self._guard)]:
            status = child.poll()
            if status is not None and not self._asked_to_stop:
                raise ChildEnded(name, status)
        return not self._asked_to_stop

    def wait(self) -> None:
        """Until someone asks to stop. Raises ChildEnded."""
        while self.running():
            time.sleep(0.1)

    def wait_for_page(self, host: str, port: int) -> int | None:
        """Until the first page answers: its status, or None where someone asked to stop."""
        while self.running():
            status = _page_status(host, port)
            if status is not None:
                return status
            time.sleep(0.1)
        return None

    def _ask(self, *_: object) -> None:
        self._asked_to_stop += 1

    def _signal_all(self, number: int) -> None:
        for child in self._children.values():
            with suppress(ProcessLookupError):
                os.killpg(child.pid, number)


def _page_status(host: str, port: int) -> int | None:
    path, status = "/", 0
    for _ in range(5):  # redirects to the sign-in page, by way of others
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        status, path = response.status, response.getheader("Location", "")
        if not path.startswith("/"):
            break
    return status


def why_not_listen(host: str, port: int) -> str | None:
    """What keeps us from listening there, or None."""
    if not 0 < port < 65536:
        return "no such port"
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as trial:
                # As servers do: connections of an earlier run that linger are no obstacle.
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
    except OSError as error:
        return error.strerror
    return None
