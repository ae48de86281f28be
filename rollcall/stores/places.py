"""Where a store's files and sockets lie, and what a store is to whoever starts it."""

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

LONGEST = 103  # bytes of a socket's path, on macOS; Linux takes four more
PATIENCE = 60.0  # seconds for a store to come up; after a crash PostgreSQL first repairs itself
STOP_PATIENCE = 10.0  # seconds


class StoreError(Exception):
    """A store cannot run here, or does not come up: why, in words."""


@dataclass(frozen=True)
class Place:
    """A folder of the stores' own."""

    folder: Path

    @property
    def sockets(self) -> Path:
        near = self.folder / "sockets"
        if len(os.fsencode(near / ".s.PGSQL.5432")) <= LONGEST:
            return near
        name = blake2b(os.fsencode(self.folder), digest_size=8).hexdigest()
        # Not TMPDIR: each terminal may have its own, and all must look in the same place.
        return Path("/tmp", f"rollcall-{name}")  # noqa: S108 - `prepare` looks whose it is

    @property
    def has_database(self) -> bool:
        return (self.folder / "postgres").exists()

    def prepare(self) -> None:
        """Make the folders, closed to others. Raises `StoreError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() not in (0, self.folder.stat().st_uid):
            raise StoreError(f"{self.folder} belongs to somebody else, who alone can start it.")
        self.folder.chmod(0o700)
        sockets = self.sockets
        sockets.mkdir(mode=0o700, exist_ok=True)
        found = sockets.lstat()
        # Anybody may make a folder in /tmp, and would then hold our sockets.
        if not sockets.is_relative_to(self.folder) and (
            sockets.is_symlink() or found.st_uid != os.geteuid()
        ):
            raise StoreError(f"{sockets} belongs to somebody else. Remove it, then start again.")
        sockets.chmod(0o700)

    def remove_sockets(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)


@dataclass(frozen=True)
class Server:
    """A store's program, ready to be started. `ask` connects once and raises while nobody listens.
    `clear` removes what a killed one left behind and another process must not find.
    """

    name: str
    command: list[str]
    stop_signal: signal.Signals
    ask: Callable[[], None]
    clear: Callable[[], None] = field(default=lambda: None)
    environment: dict[str, str] = field(default_factory=dict)

    def start_alone(self, place: Place) -> Callable[[], None]:
        """Start it without a supervisor; the answer stops it."""
        with open(place.folder / f"{self.name}.log", "ab") as log:
            process = subprocess.Popen(
                self.command,
                cwd=place.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for those who use it
            )

        def stop() -> None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        return stop

    def wait_until_ready(self, going_on: Callable[[], bool] = lambda: True) -> None:
        """Until it answers, or `going_on` says no. Raises `StoreError`."""
        deadline = time.monotonic() + PATIENCE
        while going_on():
            try:
                return self.ask()
            except Exception as error:
                if time.monotonic() > deadline:
                    raise StoreError(f"{self.name} does not come up: {error}") from error
            time.sleep(0.02)
        return None


def wheel(name: str, program: str) -> Path:
    """A program of an installed wheel. Raises `StoreError` where this platform has none."""
    spec = find_spec(name)
    found = next(Path(spec.origin).parent.glob(program), None) if spec and spec.origin else None
    if found is None:
        raise StoreError(
            "PostgreSQL and Valkey do not come along on this platform. Set DATABASE_URL and "
            "REDIS_URL, as in DATABASE_URL=postgres://user:password@host:5432/rollcall "
            "REDIS_URL=redis://host:6379/0"
        )
    return found
