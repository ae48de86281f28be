"""Children whose supervisor is gone.

A supervisor writes down whom it has started (`Record`). If it is killed outright, its guard ends
them, and whoever starts next ends what the guard did not. The record also tells web processes which
child cannot stay up.

Invariant: nobody else is ended. A process is known by its id together with the moment at which it
began, and a record from another boot, or another container, names nobody.

Run as a program it imports the standard library alone, for it must start at once.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE = "processes.json"
GRACE = 8.0  # seconds between asking a process to end and killing it; container runtimes allow 10


@dataclass
class Started:
    """A child. It leads a process group, so what it has started itself is found as well."""

    name: str
    pid: int
    born: str | None
    stop_signal: int
    is_store: bool  # ends after those that use it
    cannot_stay_up: bool


@dataclass
class Record:
    """`DATA_DIR/processes.json`. `world` is the boot and the container in which its ids mean
    something.
    """

    supervisor: int
    born: str | None
    world: str
    processes: list[Started] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Readers see the old one or the new one, whole."""
        draft = folder / f".{FILE}"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(folder / FILE)


def read(folder: Path) -> Record | None:
    """None where no supervisor has left one, or nothing that can be read."""
    try:
        found = json.loads((folder / FILE).read_text())
        found["processes"] = [Started(**each) for each in found["processes"]]
        return Record(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def here() -> str:
    """This boot and container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return str(born(1))


def born(pid: int) -> str | None:
    """When a process began, in its system's words; None where there is none, or it has ended."""
    if Path("/proc/self/stat").exists():
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if words[0] in "ZX" else words[19]
    told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True)
    state, _, began = told.stdout.decode().strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def end(record: Record | None) -> list[str]:
    """End what still runs of a record: politely, the stores last. Answers the names."""
    if record is None or record.world != here():
        return []
    ended = []
    for is_store in (False, True):
        group = [each for each in record.processes if each.is_store is is_store]
        alive = [each for each in group if each.born and born(each.pid) == each.born]
        ended += [each.name for each in alive]
        for each in alive:
            _signal_group(each.pid, each.stop_signal)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and any(born(each.pid) == each.born for each in alive):
            time.sleep(0.02)
        for each in group:
            # Also where only those are left whom it had started: while its group lives, nobody else
            # is given its id.
            if born(each.pid) in (None, each.born):
                _signal_group(each.pid, signal.SIGKILL)
    return ended


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class Taken(Exception):
    """Another supervisor works in this folder."""


def claim(folder: Path) -> int:
    """Be the only supervisor of this folder until the answer, a file, is closed. Raises `Taken`."""
    lock = os.open(folder / ".supervisor", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Taken from None
    return lock


if __name__ == "__main__":  # the guard, once its supervisor is gone
    sys.stdin.read()
    end(read(Path(sys.argv[1])))
