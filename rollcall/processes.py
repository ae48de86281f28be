"""The processes of `manage.py demo` and `manage.py serve`, under one supervisor.

- A child that dies is started again, with pauses that grow while it cannot stay up. No child's
  death takes another along; whatever it had started itself ends with it.
- Each child leads a process group: a Ctrl-C in the terminal reaches the supervisor alone.
- Ending is polite for `GRACE` seconds, then forced; whoever asks a second time forces it at once.
  Stores end last, because the others still write.
- When the supervisor is killed outright, its children are told by the kernel, where it can, and a
  guard ends them: it reads from a pipe that closes with the supervisor. What is left nevertheless,
  the next supervisor of the folder ends first (`rollcall.orphans`).
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

from django.conf import settings

from rollcall import logs, orphans
from rollcall.listening import first_page
from rollcall.orphans import GRACE, Record, Started
from rollcall.setpriv import tied

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds before a child is started again: the first pause, doubled with each death, up to the last.
FIRST_PAUSE, LAST_PAUSE = 0.2, 30.0
STEADY = 30.0  # seconds after which a child counts as up, and its earlier deaths are forgotten
TOO_OFTEN = 3  # deaths in a row, each before it was steady: it cannot stay up
# A shell, because it costs nothing to start and no memory to keep.
GUARD = 'read -r _; exec "$0" "$1" "$2"'


@dataclass(frozen=True)
class Process:
    name: str
    command: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    is_store: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def module(name: str, command: str, environment: Mapping[str, str] | None = None) -> Process:
    """A process of ours: what follows `python -m`, in words parted by blanks."""
    words = (*tied(signal.SIGTERM), sys.executable, "-m", *command.split())
    return Process(name, words, environment=environment or {})


# Threads, not forks: tasks wait, for the database and for slow webhook endpoints, which may hold
# `applications.tasks.AT_ONCE` of them. Gossip, mingle and heartbeats are for workers that watch
# each other.
WORKER = (
    "celery -q -A rollcall worker -P threads -c 12 --without-gossip --without-mingle"
    " --without-heartbeat"
)
BEAT = "celery -q -A rollcall beat"


class CannotStayUp(Exception):
    """A child that others wait for dies again and again."""

    def __init__(self, name: str, log: Path | None) -> None:
        end = f" {log} ends:\n{logs.last_lines(log)}" if log else ""
        super().__init__(f"{name} cannot stay up.{end}")


@dataclass
class _Child:
    process: Process
    log: Path | None
    popen: "subprocess.Popen[bytes] | None" = None
    born: str | None = None
    since: float = 0.0  # when it was started, or died
    deaths: int = 0  # in a row
    pause: float = 0.0

    @property
    def cannot_stay_up(self) -> bool:
        return self.deaths >= TOO_OFTEN


class Supervisor:
    """`with Supervisor() as supervisor:` start processes, then `wait()`; leaving it ends them.

    `say` is told of deaths, one line each; `cleanup` is called once all have ended. Raises
    `orphans.Taken` where another one works in `folder`, which is `DATA_DIR` unless said otherwise.
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
        self._asked_to_stop = 0  # how often
        self._looked_at_logs = 0.0

    def __enter__(self) -> "Supervisor":
        self._lock = orphans.claim(self._folder)
        # A flag, not an exception: one that strikes between starting a child and noting its id
        # would leave the child behind.
        self._handlers = {number: signal.signal(number, self._ask) for number in STOP_SIGNALS}
        if ended := orphans.end(orphans.read(self._folder)):
            self._tell(f"An earlier run was killed; ended what it left: {', '.join(ended)}.")
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
        """Start a child and keep it up. Its output is added to `log`, or goes to this terminal."""
        if log:
            log.parent.mkdir(exist_ok=True)
        child = self._children[process.name] = _Child(process, log)
        self._start(child)

    def running(self) -> bool:
        """False once someone asked to stop. To be called often: it is what looks after children."""
        if self._asked_to_stop:
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
                    with suppress(OSError):  # a full disk is no reason to end
                        logs.bound(child.log)
        return True

    def coming_up(self) -> bool:
        """As `running`, for whoever waits for children. Raises `CannotStayUp`."""
        running = self.running()
        for name, child in self._children.items():
            if child.cannot_stay_up:
                raise CannotStayUp(name, child.log)
        return running

    def wait(self) -> None:
        """Until someone asks to stop."""
        while self.running():
            time.sleep(0.1)

    def wait_for_page(self, host: str, port: int) -> int | None:
        """Until the first page answers: its status, or None where someone asked to stop. Raises
        `CannotStayUp`.
        """
        while self.coming_up():
            status = first_page(host, port)
            if status is not None:
                return status
            time.sleep(0.05)
        return None

    def pids(self) -> dict[str, int]:
        """Of the children that run, by name."""
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
        _signal_group(child, signal.SIGKILL)  # what it had started
        child.popen = None
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        self._try_again(child, how, steady=now - child.since > STEADY)

    def _start(self, child: _Child) -> None:
        try:
            with open(child.log or os.devnull, "ab") as file:
                output = file if child.log else None
                child.popen = subprocess.Popen(
                    child.process.command,
                    cwd=settings.BASE_DIR,
                    env={**os.environ, **child.process.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as error:  # no memory, no disk, no process left
            self._try_again(child, f"cannot be started: {error}")
            return
        child.born, child.since = orphans.born(child.popen.pid), time.monotonic()
        self._record()

    def _try_again(self, child: _Child, how: str, *, steady: bool = False) -> None:
        child.since = time.monotonic()
        child.deaths = 1 if steady else child.deaths + 1
        child.pause = min(FIRST_PAUSE * 2 ** (child.deaths - 1), LAST_PAUSE)
        self._tell(f"{child.process.name} {how}; it is started again in {child.pause:g} s.")
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
        deadline = time.monotonic() + GRACE
        while any(child.popen and child.popen.poll() is None for child in children):
            if self._asked_to_stop > 1 or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        for child in children:
            # The group, not the child: it may be gone and have left something behind.
            _signal_group(child, signal.SIGKILL)
            if child.popen:
                child.popen.wait()

    def _record(self) -> None:
        """Tell web processes, and whoever comes after us."""
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

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # nobody reads our terminal any more
            self._say(text)

    def _ask(self, *_: object) -> None:
        self._asked_to_stop += 1


def _signal_group(child: _Child, number: int) -> None:
    if child.popen:
        with suppress(ProcessLookupError):
            os.killpg(child.popen.pid, number)
