"""Django's PostgreSQL, with a pool whose dead connections are found without asking them.

Django can only have each connection answer an empty query before a request gets it, a round trip
for every call. The server closes what it ends, though, and the kernel knows that at once.

Invariant: a connection that the server has closed while it lay in the pool is never handed out. A
host that vanished has closed nothing; the keepalives of `DATABASES` find that out.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # Ends when the pool has thrown away all that it held and opens another, or cannot.
        while self.pool and not _is_alive(connection):
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def _is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Without a round trip, unless there is something to read: nobody has asked for anything, so
    that is a closed socket, or seldom a notice.
    """
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if not socket.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True
