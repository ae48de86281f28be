"""PostgreSQL and Valkey from wheels, for whoever has not set `DATABASE_URL` or `REDIS_URL`.

Invariants
----------
* Everything lies under one folder: `DATA_DIR/stores`, or a temporary one of a test run. Nobody else
  may enter it, and each store listens on a socket in there and nowhere else. That is the whole
  access control: who can reach a socket may do everything.
* A socket's path may have `places.LONGEST` bytes. Below a longer folder the sockets lie in a closed
  folder under /tmp, named after the data folder.
* PostgreSQL keeps what it has acknowledged (`fsync`), but in a test run. Valkey keeps nothing: what
  it holds is either in the database as well or outdated within seconds.
* Addresses follow from the folder alone, so that every command finds the stores that run.

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
    """Where `make demo` keeps its stores."""
    return places.Place(data_dir / "stores")


@dataclass(frozen=True)
class Urls:
    database: str | None  # for DATABASE_URL
    redis: str | None  # for REDIS_URL


def temporary(*, database: bool = True, redis: bool = True, durable: bool = False) -> Urls:
    """Start the stores that are asked for in a temporary folder; they and it are gone with this
    process, which must call this on its main thread. Unless `durable`, a commit waits for no disk.

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
