"""SQL statements of our own for the verbs that are called most: prepared once, bound by the server.

Django composes SQL anew for each query, writes the values into its text, and PostgreSQL parses and
plans what it has never seen before. For a read by key that takes several times as long as the read.

Invariants
----------
* A statement goes through Django's connection, in whatever transaction is open there. Its errors
  are Django's, and whoever counts queries counts it.
* Preparing can be switched off (`DB_PREPARED_STATEMENTS`): a pooler that gives each transaction
  another session loses what was prepared in the one before. Nothing else depends on it.
"""

from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections


class Statement:
    """One SQL statement with a `%s` for each value.

    Values and columns are what psycopg makes of them: `Jsonb` and text of JSON, not what a model's
    field would convert.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """All rows, in one round trip."""
        connection = connections[DEFAULT_DB_ALIAS]
        connection.ensure_connection()
        # Django's own cursors bind on the client.
        bare: Any = psycopg.Cursor(connection.connection)
        bare.format = psycopg.pq.Format.BINARY
        with connection.make_cursor(bare) as cursor:
            cursor.execute(self._sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if connection.queries_logged:
            told = psycopg.ClientCursor(connection.connection).mogrify(self._sql, values)
            connection.queries_log.append({"sql": told, "time": ""})
        return rows

    def row(self, *values: Any) -> tuple[Any, ...] | None:
        """The first row, if there is one."""
        return next(iter(self.rows(*values)), None)
