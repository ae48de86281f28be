"""The folder of the stores, and the program of a store."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

MAX_SOCKET_PATH = 103  # bytes, on macOS; Linux allows four more
START_TIMEOUT = 60.0  # seconds; after a crash PostgreSQL recovers first
STOP_TIMEOUT = 10.0  # seconds


class StoreError(Exception):
    """A store cannot run here, or does not start; the text says why."""


@dataclass(frozen=True)
class Place:
    """The folder of the stores."""

    folder: Path

    @property
    def sockets(self) -> Path:
        near = self.folder / "sockets"
        if len(os.fsencode(near / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH:
            return near
        name = blake2b(os.fsencode(self.folder), digest_size=8).hexdigest()
        # Not TMPDIR, which may differ between terminals: all must look in the same folder.
        return Path("/tmp", f"rollcall-{name}")  # noqa: S108 - `prepare` checks its owner

    @property
    def has_database(self) -> bool:
        return (self.folder / "postgres").exists()

    def prepare(self) -> None:
        """Create the folders, closed to other users. Raises `StoreError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() not in (0, self.folder.stat().st_uid):
            raise StoreError(
                f"{self.folder} belongs to somebody else. Start Rollcall as its owner."
            )
        self.folder.chmod(0o700)
        sockets = self.sockets
        sockets.mkdir(mode=0o700, exist_ok=True)
        found = sockets.lstat()
        # Anybody can create a folder in /tmp, and would then own our sockets.
        if not sockets.is_relative_to(self.folder) and (
            sockets.is_symlink() or found.st_uid != os.geteuid()
        ):
            raise StoreError(f"{sockets} belongs to somebody else. Remove it, then start again.")
        sockets.chmod(0o700)

    def remove_sockets(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)


@dataclass(frozen=True)
class Server:
    """The program of a store. `connect` connects once and raises while the store is not up.
    `clear` removes files that a killed one left behind and that would stop the next from starting.
    """

    name: str
    command: list[str]
    stop_signal: signal.Signals
    connect: Callable[[], None]
    clear: Callable[[], None] = field(default=lambda: None)
    environment: dict[str, str] = field(default_factory=dict)

    def start_alone(self, place: Place) -> Callable[[], None]:
        """Start it without a supervisor; return a function that stops it."""
        with open(place.folder / f"{self.name}.log", "ab") as log:
            process = subprocess.Popen(
                self.command,
                cwd=place.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C must reach only the programs that use it
            )

        def stop() -> None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        return stop

    def wait_until_ready(self, going_on: Callable[[], bool] = lambda: True) -> None:
        """Wait until it accepts connections, or `going_on` returns False. Raises `StoreError`."""
        deadline = time.monotonic() + START_TIMEOUT
        while going_on():
            try:
                return self.connect()
            except Exception as error:
                if time.monotonic() > deadline:
                    raise StoreError(f"{self.name} does not start: {error}") from error
            time.sleep(0.02)
        return None


def wheel(name: str, program: str) -> Path:
    """A program of an installed wheel. Raises `StoreError` if this platform has none."""
    spec = find_spec(name)
    found = next(Path(spec.origin).parent.glob(program), None) if spec and spec.origin else None
    if found is None:
        raise StoreError(
            "There are no wheels of PostgreSQL and Valkey on this platform. Set DATABASE_URL and "
            "REDIS_URL, as in DATABASE_URL=postgres://user:password@host:5432/rollcall "
            "REDIS_URL=redis://host:6379/0"
        )
    return found
