"""PostgreSQL and Valkey from wheels, used if `DATABASE_URL` or `REDIS_URL` is not set.

Invariants
----------
* All files are in one folder: `DATA_DIR/stores`, or a temporary one of a test run. Only its owner
  can enter it, and each store listens only on a socket in it. There is no other access control:
  anybody who reaches a socket can do everything.
* A socket's path may have `places.MAX_SOCKET_PATH` bytes. If the folder's path is too long, the
  sockets are in a closed folder under /tmp, named after a hash of the data folder.
* PostgreSQL keeps what it has acknowledged (`fsync`), except in a test run. Valkey saves nothing:
  its data is also in the database or expires within minutes.
* The URLs depend only on the folder, so that every command finds the running stores.

`make demo` runs them under its supervisor (`rollcall.processes`); `temporary` is for tests and
benchmarks.
"""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rollcall.stores import places, postgres, valkey
from rollcall.stores.places import StoreError

__all__ = ["StoreError", "Urls", "temporary", "under"]


def under(data_dir: Path) -> places.Place:
    """The place of the stores of `make demo`."""
    return places.Place(data_dir / "stores")


@dataclass(frozen=True)
class Urls:
    database: str | None  # for DATABASE_URL
    redis: str | None  # for REDIS_URL


def temporary(*, database: bool = True, redis: bool = True, durable: bool = False) -> Urls:
    """Start these stores in a temporary folder. When this process ends, they stop and the folder is
    deleted. Call it on the main thread. Unless `durable`, a commit does not wait for the disk.

    Raises `StoreError`.
    """
    folder = Path(tempfile.mkdtemp(prefix="rollcall-stores-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    place = places.Place(folder)
    place.prepare()
    atexit.register(place.remove_sockets)
    servers: list[places.Server] = []
    if redis:
        servers.append(valkey.server(place))
    if database:
        servers.append(postgres.server(place, durable=durable, max_connections=200))
    for server in servers:
        atexit.register(server.start_alone(place))
    for server in servers:
        server.wait_until_ready()
    return Urls(
        database=postgres.url(place) if database else None,
        redis=valkey.url(place) if redis else None,
    )
