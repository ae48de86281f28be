"""The processes of `manage.py demo` and `manage.py serve`, under one supervisor.

- A child that dies is restarted, with growing pauses while it cannot stay up. The death of a child
  does not affect the others; processes that it has started end with it.
- Each child leads a process group: a Ctrl-C in the terminal reaches only the supervisor.
- To stop, children get `stop_within` seconds, then they are killed; a second request kills them at
  once. Stores stop last, because the others still write.
- If the supervisor is killed, the kernel signals its children if it can, and a guard ends them: it
  reads from a pipe that closes with the supervisor. The next supervisor of the folder first ends
  those that are left (`rollcall.orphans`).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings

from rollcall import logs, orphans
from rollcall.forks import Fork, Running
from rollcall.listening import first_page
from rollcall.orphans import GRACE, Record, Started
from rollcall.setpriv import tied

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds before a child is restarted: the first pause, doubled with each death, up to the last.
FIRST_PAUSE, LAST_PAUSE = 0.2, 30.0
STEADY = 30.0  # seconds after which a child counts as up, and its deaths are no longer counted
TOO_OFTEN = 3  # deaths in a row, each before `STEADY`: it cannot stay up
# A shell, because it starts at once and needs little memory.
GUARD = 'read -r _; exec "$0" "$1" "$2"'


@dataclass(frozen=True)
class Process:
    name: str
    command: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    is_store: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_within: float = GRACE  # seconds between asking it to end and killing it
    is_forked: bool = False  # then `command` is what follows `python -m`


def module(name: str, command: str, environment: Mapping[str, str] | None = None) -> Process:
    """A Python process. `command` is what follows `python -m`, separated by blanks."""
    words = (*tied(signal.SIGTERM), sys.executable, "-m", *command.split())
    return Process(name, words, environment=environment or {})


def forked(name: str, command: str, *, stop_within: float = GRACE) -> Process:
    """As `module`, but it starts with what this process has loaded, and shares that memory."""
    if sys.platform != "linux":  # macOS's own libraries do not survive a fork
        return module(name, command)
    return Process(name, tuple(command.split()), stop_within=stop_within, is_forked=True)


# Threads, not forks: tasks wait for the database and for slow webhook endpoints, which may occupy
# `applications.tasks.AT_ONCE` threads. The rest is for workers that watch each other.
WORKER = "celery -q -A rollcall worker -P threads -c 12"
WORKER += " --without-gossip --without-mingle --without-heartbeat"
BEAT = "celery -q -A rollcall beat"


class CannotStayUp(Exception):
    """A child that others need dies again and again."""

    def __init__(self, name: str, log: Path | None) -> None:
        end = f" The last lines of {log}:\n{logs.last_lines(log)}" if log else ""
        super().__init__(f"{name} cannot stay up.{end}")


@dataclass
class _Child:
    process: Process
    log: Path | None
    popen: Running | None = None
    born: str | None = None
    since: float = 0.0  # when it was started, or died
    deaths: int = 0  # in a row
    pause: float = 0.0

    @property
    def cannot_stay_up(self) -> bool:
        return self.deaths >= TOO_OFTEN


class Supervisor:
    """`with Supervisor() as supervisor:` start processes, then `wait()`; leaving it stops them.
    `say` gets one line for each death; `cleanup` is called after all have ended. Raises
    `orphans.Taken` if another supervisor uses `folder`, by default `DATA_DIR`.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        say: Callable[[str], None] = print,
        cleanup: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder or settings.DATA_DIR
        self._say = say
        self._cleanup = cleanup
        self._children: dict[str, _Child] = {}
        self._stop_requests = 0
        self._looked_at_logs = 0.0

    def __enter__(self) -> "Supervisor":
        self._lock = orphans.claim(self._folder)
        # A flag, not an exception: raised between starting a child and recording its id, it would
        # leave the child running.
        handler = self._request_stop
        self._handlers = {number: signal.signal(number, handler) for number in STOP_SIGNALS}
        if ended := orphans.end(orphans.read(self._folder)):
            self._print(f"An earlier run was killed. Ended its processes: {', '.join(ended)}.")
        self._record()
        self._start_guard()
        return self

    def __exit__(self, *_: object) -> None:
        for is_store in (False, True):
            self._end(
                [each for each in self._children.values() if each.process.is_store is is_store]
            )
        self._guard.kill()
        self._guard.communicate()
        (self._folder / orphans.FILE).unlink(missing_ok=True)
        self._cleanup()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._lock)

    def start(self, process: Process, *, log: Path | None = None) -> None:
        """Start a child and keep it running. Its output is appended to `log`, or goes to this
        terminal.
        """
        if log:
            log.parent.mkdir(exist_ok=True)
        child = self._children[process.name] = _Child(process, log)
        self._start(child)

    def running(self) -> bool:
        """Restart dead children; False after a request to stop. Call it often."""
        if self._stop_requests:
            return False
        if self._guard.poll() is not None:
            with suppress(OSError):
                self._start_guard()
        now = time.monotonic()
        for child in self._children.values():
            self._look_after(child, now)
        if now - self._looked_at_logs > 1:
            self._looked_at_logs = now
            for child in self._children.values():
                if child.log:
                    with suppress(OSError):  # continue if the disk is full
                        logs.bound(child.log)
        return True

    def coming_up(self) -> bool:
        """As `running`, while the caller waits for children. Raises `CannotStayUp`."""
        running = self.running()
        for name, child in self._children.items():
            if child.cannot_stay_up:
                raise CannotStayUp(name, child.log)
        return running

    def wait(self) -> None:
        """Run until a request to stop."""
        while self.running():
            time.sleep(0.1)

    def wait_for_page(self, host: str, port: int) -> int | None:
        """Wait for the first page; return its status, or None after a request to stop. Raises
        `CannotStayUp`.
        """
        while self.coming_up():
            status = first_page(host, port)
            if status is not None:
                return status
            time.sleep(0.05)
        return None

    def pids(self) -> dict[str, int]:
        """Of the running children, by name."""
        return {name: each.popen.pid for name, each in self._children.items() if each.popen}

    def _look_after(self, child: _Child, now: float) -> None:
        if child.popen is None:
            if now - child.since >= child.pause:
                self._start(child)
            return
        status = child.popen.poll()
        if status is None:
            if child.deaths and now - child.since > STEADY:
                child.deaths = 0
                self._record()
            return
        _signal_group(child, signal.SIGKILL)  # processes that it has started
        child.popen = None
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        self._try_again(child, how, steady=now - child.since > STEADY)

    def _start(self, child: _Child) -> None:
        try:
            with open(child.log or os.devnull, "ab") as file:
                child.popen = self._popen(child.process, file if child.log else None)
        except OSError as error:  # no memory, no disk space, too many processes
            self._try_again(child, f"cannot be started: {error}")
            return
        child.born, child.since = orphans.born(child.popen.pid), time.monotonic()
        self._record()

    def _popen(
        self, process: Process, output: IO[bytes] | None
    ) -> "subprocess.Popen[bytes] | Fork":
        if process.is_forked:
            return Fork(process.name, process.command, output=output, first=self._let_go)
        return subprocess.Popen(
            process.command,
            cwd=settings.BASE_DIR,
            env={**os.environ, **process.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def _let_go(self) -> None:
        """In a fork: the lock and the guard's pipe are the supervisor's."""
        for own in (self._lock, self._guard.stdin.fileno()):  # type: ignore[union-attr]
            os.close(own)

    def _try_again(self, child: _Child, how: str, *, steady: bool = False) -> None:
        child.since = time.monotonic()
        child.deaths = 1 if steady else child.deaths + 1
        child.pause = min(FIRST_PAUSE * 2 ** (child.deaths - 1), LAST_PAUSE)
        self._print(f"{child.process.name} {how}; restarting it in {child.pause:g} s.")
        self._record()

    def _start_guard(self) -> None:
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, sys.executable, orphans.__file__, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end(self, children: list[_Child]) -> None:
        for child in children:
            _signal_group(child, child.process.stop_signal)
        within = max((child.process.stop_within for child in children), default=0.0)
        deadline = time.monotonic() + within
        while any(child.popen and child.popen.poll() is None for child in children):
            if self._stop_requests > 1 or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        for child in children:
            # The group, because a child that has ended may have left processes.
            _signal_group(child, signal.SIGKILL)
            if child.popen:
                child.popen.wait()

    def _record(self) -> None:
        """Write the record for web processes and for the next supervisor."""
        started = [
            Started(
                name=name,
                pid=child.popen.pid if child.popen else 0,
                born=child.born if child.popen else None,
                stop_signal=child.process.stop_signal,
                is_store=child.process.is_store,
                cannot_stay_up=child.cannot_stay_up,
            )
            for name, child in self._children.items()
        ]
        own = os.getpid()
        with suppress(OSError):
            Record(own, orphans.born(own), orphans.here(), started).write(self._folder)

    def _print(self, text: str) -> None:
        with suppress(OSError):  # the terminal is closed
            self._say(text)

    def _request_stop(self, *_: object) -> None:
        self._stop_requests += 1


def _signal_group(child: _Child, number: int) -> None:
    if child.popen:
        with suppress(ProcessLookupError):
            os.killpg(child.popen.pid, number)
