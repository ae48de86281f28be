"""What the database alone can do: the smallest tables and statements that do the same work (`sql`),
run by pgbench, in a schema of their own beside ours.

The statements of a transaction go one by one, as an ORM sends them; reads are one statement.
"""

import re
import subprocess
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

SCHEMA = "bench_reference"
# The name of a case of `bench.calls` → the script that does as much as its calls.
SCRIPTS = {
    "register": "register",
    "ban, unban": "ban_unban",
    "token of a known user": "known_user",
    "online?": "online",
    "banned, first page": "banned",
    "blocklist, first page": "blocklist",
    "users, first page": "users_first",
    "users, at the end": "users_end",
}
_FOLDER = Path(__file__).parent / "sql"
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def create(*, users: int, bans: int) -> None:
    """Create and fill the tables."""
    with connection.cursor() as cursor:
        tables = (_FOLDER / "tables.sql").read_text()
        cursor.execute(f"BEGIN; {tables} COMMIT", {"users": users, "bans": bans})
        for table in ("person", "ban", "listed"):
            cursor.execute(f"VACUUM ANALYZE {SCHEMA}.{table}")


def address() -> str:
    """The tables' connection string."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    given = {name: parameters.get(name) for name in names}
    return make_conninfo(**given, options=f"-c search_path={SCHEMA}")


def per_second(program: str, name: str, *, clients: int, seconds: float) -> float:
    """How often pgbench runs this script in a second. Raises `SystemExit` with its error."""
    done = subprocess.run(
        [
            *(program, "--no-vacuum", "--protocol=prepared", f"--file={_FOLDER / name}.sql"),
            *(f"--client={clients}", f"--jobs={min(clients, 2)}"),
            f"--time={max(1, round(seconds))}",
            address(),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    rate = _RATE.search(done.stdout)
    if done.returncode or rate is None:
        raise SystemExit(f"pgbench: {done.stderr}")
    return float(rate[1])
