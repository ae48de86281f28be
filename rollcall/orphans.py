"""Children of a supervisor that was killed.

A supervisor records the processes that it starts (`Record`). If it is killed, its guard ends them,
and the next supervisor ends those that the guard did not. Web processes read in the record which
child cannot stay up.

Invariant: no other process is ended. A process is identified by its id and its start time, and a
record from another boot or container is ignored.

This module is also a program. It imports only the standard library, because it must start quickly.
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
    """A child. It leads a process group, which also contains the processes that it has started."""

    name: str
    pid: int
    born: str | None
    stop_signal: int
    is_store: bool  # ends after those that use it
    cannot_stay_up: bool


@dataclass
class Record:
    """`DATA_DIR/processes.json`. Its process ids are valid in `world`, a boot and a container."""

    supervisor: int
    born: str | None
    world: str
    processes: list[Started] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Replace the file atomically."""
        temporary = folder / f".{FILE}"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(folder / FILE)


def read(folder: Path) -> Record | None:
    """The record in this folder; None if there is none or it cannot be read."""
    try:
        found = json.loads((folder / FILE).read_text())
        found["processes"] = [Started(**each) for each in found["processes"]]
        return Record(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def here() -> str:
    """The id of this boot and container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return str(born(1))


def born(pid: int) -> str | None:
    """The start time of a process, in the system's format; None if it does not run."""
    if Path("/proc/self/stat").exists():
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if words[0] in "ZX" else words[19]
    run = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True)
    state, _, began = run.stdout.decode().strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def end(record: Record | None) -> list[str]:
    """Stop the processes of a record that still run, the stores last; kill them after `GRACE`.
    Returns their names.
    """
    if record is None or record.world != here():
        return []
    names = []
    for is_store in (False, True):
        group = [each for each in record.processes if each.is_store is is_store]
        alive = [each for each in group if each.born and born(each.pid) == each.born]
        names += [each.name for each in alive]
        for each in alive:
            _signal_group(each.pid, each.stop_signal)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and any(born(each.pid) == each.born for each in alive):
            time.sleep(0.02)
        for each in group:
            # Also if only processes are left that it has started: while its group exists, the
            # system does not reuse its id.
            if born(each.pid) in (None, each.born):
                _signal_group(each.pid, signal.SIGKILL)
    return names


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class Taken(Exception):
    """Another supervisor uses this folder."""


def claim(folder: Path) -> int:
    """Lock this folder for one supervisor until the returned file is closed. Raises `Taken`."""
    lock = os.open(folder / ".supervisor", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Taken from None
    return lock


if __name__ == "__main__":  # the guard, after its supervisor has ended
    sys.stdin.read()
    end(read(Path(sys.argv[1])))
