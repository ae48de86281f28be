"""ejabberd on the same PostgreSQL server, in a database of its own, where Debian's package is
installed.

Its `register` stores an account. `ban_account` changes the password and closes the sessions, and
`change_password` undoes it. It keeps no ledger and no audit trail.
"""

import signal
from pathlib import Path

import psycopg
from django.db import connection

from rollcall.processes import Process
from rollcall.setpriv import tied

DATABASE = "rollcall_bench_ejabberd"
_SETTINGS = """
hosts: [localhost]
loglevel: error
auth_method: sql
default_db: sql
sql_type: pgsql
sql_server: "{host}"
sql_port: {port}
sql_database: {database}
sql_username: "{user}"
sql_password: "{password}"
sql_pool_size: 10
listen:
  - {{port: {http}, ip: 127.0.0.1, module: ejabberd_http, request_handlers: {{/api: mod_http_api}}}}
api_permissions:
  bench: {{who: [{{ip: 127.0.0.1/32}}], what: "*"}}
modules: {{mod_admin_extra: {{}}}}
"""
_SQL = Path("/usr/share/ejabberd/sql/pg.sql")


def _library() -> Path | None:
    return next(Path("/usr/lib").glob("*/ejabberd-*"), None)


def missing() -> str | None:
    """Why it cannot be measured; None if it can."""
    if _library() is None or not _SQL.exists():
        return "Debian's package ejabberd is not installed"
    host = connection.get_connection_params().get("host") or "/"
    return "it needs PostgreSQL by TCP, not a socket" if host.startswith("/") else None


def prepared(folder: Path, *, port: int, users: int) -> Process:
    """Create its database, with users; the process to start. Raises `psycopg.Error`."""
    known = connection.get_connection_params()
    address = {"host": known["host"], "port": known.get("port") or 5432, "user": known["user"]}
    address["password"] = known.get("password") or "none"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    with psycopg.connect(dbname=DATABASE, autocommit=True, **address) as database:
        database.execute(_SQL.read_bytes())
        database.execute(
            "INSERT INTO users (username, password)"
            " SELECT 'user-' || number, 'pw' FROM generate_series(1, %s) AS number",
            [users],
        )
        database.execute("VACUUM ANALYZE users")
    settings = folder / "ejabberd.yml"
    settings.write_text(_SETTINGS.format(**address, database=DATABASE, http=port))
    environment = {
        "ERL_LIBS": str(_library().parent),  # type: ignore[union-attr]
        "EJABBERD_CONFIG_PATH": str(settings),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
    }
    words = f"erl -noinput +K true -mnesia dir '\"{folder}\"' -s ejabberd"
    return Process(
        "ejabberd", (*tied(signal.SIGTERM), "sh", "-c", f"exec {words}"), environment=environment
    )
