"""Prepared SQL statements for the verbs that are called most; the server binds their values.

Django composes the SQL of each query and writes the values into its text, so PostgreSQL parses and
plans each one as new. For a read by key this takes several times as long as the read.

Invariants
----------
* A statement uses Django's connection and its open transaction. It raises Django's errors and
  appears in Django's query log.
* `DB_PREPARED_STATEMENTS` switches preparing off: a pooler that gives each transaction another
  session loses prepared statements. Nothing else depends on it.
"""

from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from applications import tracing


class Statement:
    """One SQL statement with a `%s` for each value.

    psycopg converts values and columns, not the fields of a model: pass `Jsonb`, get JSON as text.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """All rows, in one round trip."""
        connection = connections[DEFAULT_DB_ALIAS]
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        connection.validate_no_broken_transaction()
        # Django's own cursors bind values on the client.
        cursor: Any = psycopg.Cursor(connection.connection)
        cursor.format = psycopg.pq.Format.BINARY
        tracing.count_query()
        with connection.wrap_database_errors:
            rows: list[tuple[Any, ...]] = cursor.execute(self._sql, values).fetchall()
        if connection.queries_logged:
            sql = psycopg.ClientCursor(connection.connection).mogrify(self._sql, values)
            connection.queries_log.append({"sql": sql, "time": ""})
        return rows

    def row(self, *values: Any) -> tuple[Any, ...] | None:
        """The first row, if there is one."""
        return next(iter(self.rows(*values)), None)
