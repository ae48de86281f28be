"""`DATABASES`: the primary, and a standby for reading if `READ_DATABASE_URL` names one.

`DATABASE_URL` may name several hosts, separated by commas: a primary and its standbys. Each new
connection goes to the one that accepts writes, so nothing must be told when a standby is promoted.
"""

from typing import Any

from environ import Env

from applications.standby import ALIAS
from rollcall.variables import Variables, url

EXPECTED = "as in postgres://user:password@host:5432/rollcall"


def databases(env: Variables, default: str, *, prepares: bool) -> dict[str, dict[str, Any]]:
    """`default` is the URL of the primary if `DATABASE_URL` is not set. `prepares`: no pooler gives
    the transactions of a connection different sessions, so that statements can be prepared.
    """
    primary = env.parsed("DATABASE_URL", Env.db_url_config(default), _parsed, EXPECTED)
    several = "," in primary["HOST"] + primary.get("OPTIONS", {}).get("host", "")
    # Seconds for each host.
    found = {"default": _complete(primary, prepares, connect_timeout=3 if several else 10)}
    if several:
        found["default"]["OPTIONS"].setdefault("target_session_attrs", "read-write")
    standby = env.parsed("READ_DATABASE_URL", None, _parsed, EXPECTED)
    if standby is not None:
        found[ALIAS] = _complete(standby, prepares, connect_timeout=2)
    return found


def _parsed(text: str) -> dict[str, Any]:
    return dict(Env.db_url_config(url("postgres", "postgresql", several=True)(text)))


def _complete(database: dict[str, Any], prepares: bool, **options: Any) -> dict[str, Any]:
    options |= {
        # They detect a host that vanishes within 11 seconds, before a gateway's lease is over.
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    return database | {
        # Django's backend, plus checks for connections that are dead or no longer of use.
        "ENGINE": "rollcall.postgresql",
        # Each thread keeps its connection: a pool would cost every call a tenth of itself.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # A pooler that gives each transaction another session loses cursors too.
        "DISABLE_SERVER_SIDE_CURSORS": not prepares,
        # Options in the URL override these.
        "OPTIONS": options | database.get("OPTIONS", {}),
    }
