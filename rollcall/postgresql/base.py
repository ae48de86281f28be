"""Django's PostgreSQL backend, which detects dead connections without a round trip.

Django can only check a connection with an empty query, a round trip for every call. But a server
that ends a connection closes its socket, and the kernel knows this at once.

Invariant: neither the pool nor a thread that keeps its connection goes on with one that the server
has closed. A host that vanished closes nothing; the keepalives of `DATABASES` detect it.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # Ends when the pool has dropped its dead connections and opens a new one, or cannot.
        while self.pool and not _is_alive(connection):
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection

    def is_usable(self) -> bool:
        # After an error, more may be wrong than a closed socket.
        return bool(super().is_usable()) if self.errors_occurred else _is_alive(self.connection)


def _is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Check the socket; a round trip only if there is something to read: for an idle connection
    that is the end of a closed socket, or rarely a notice.
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
