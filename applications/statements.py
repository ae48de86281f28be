"""Prepared SQL statements for the verbs that are called most; the server binds their values.

Django composes the SQL of each query and writes the values into its text, so PostgreSQL parses and
plans each one as new. For a read by key this takes several times as long as the read. A cursor of
psycopg prepares, but its generators take as long as everything else that a short call does: here
one call of libpq sends the statement and waits for its result (`psycopg.pq`).

Invariants
----------
* A statement uses Django's connection and its open transaction. It raises Django's errors and
  appears in Django's query log.
* The setting `DB_PREPARED_STATEMENTS` switches preparing off: a pooler that gives each transaction
  another session loses prepared statements. Nothing else depends on it.
"""

import re
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus

from applications import tracing


class _Session:
    """What psycopg needs for each statement on one connection, made once."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.pgconn = connection, connection.pgconn
        self.transformer = Transformer(connection)
        # (statement, types of its values) → its name at the server. A value's type depends on the
        # value: of the same statement, a small and a large integer are two.
        self.prepared: dict[tuple[Statement, tuple[int, ...]], bytes] = {}

    def run(self, statement: "Statement", values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Raises psycopg's errors."""
        pgconn, transformer = self.pgconn, self.transformer
        if pgconn.transaction_status == TransactionStatus.IDLE and not self.connection.autocommit:
            _checked(pgconn.exec_(b"BEGIN"))
        dumped = transformer.dump_sequence(values, statement.formats)
        types = transformer.types or ()
        if settings.DB_PREPARED_STATEMENTS:
            name = self.prepared.get((statement, types)) or self._prepare(statement, types)
            result = pgconn.exec_prepared(name, dumped, transformer.formats, Format.BINARY)
        else:
            result = pgconn.exec_params(
                statement.numbered, dumped, types, transformer.formats, Format.BINARY
            )
        _checked(result)
        transformer.set_pgresult(result, format=Format.BINARY)
        rows: list[tuple[Any, ...]] = transformer.load_rows(0, result.ntuples, tuple)
        return rows

    def _prepare(self, statement: "Statement", types: tuple[int, ...]) -> bytes:
        name = b"statement_%d_%d" % (statement.number, len(self.prepared))
        _checked(self.pgconn.prepare(name, statement.numbered, types))
        self.prepared[statement, types] = name
        return name


_sessions: WeakKeyDictionary[Any, _Session] = WeakKeyDictionary()
_numbers = count()
_PLACE = re.compile("%([sb])")


class Statement:
    """One SQL statement with a `%s` for each value, or `%b` for one that is sent in binary.

    psycopg converts values and columns, not the fields of a model: pass `Jsonb`, get JSON as text.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self.number = next(_numbers)
        places = count(1)
        self.numbered = _PLACE.sub(lambda _: f"${next(places)}", sql).replace("%%", "%").encode()
        self.formats = [PyFormat(letter) for letter in _PLACE.findall(sql)]

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """All rows, in one round trip."""
        connection = connections[DEFAULT_DB_ALIAS]
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        connection.validate_no_broken_transaction()
        tracing.count_query()
        raw: Any = connection.connection
        with connection.wrap_database_errors:
            session = _sessions.get(raw)
            if session is None:
                session = _sessions[raw] = _Session(raw)
            rows = session.run(self, values)
        if connection.queries_logged:
            sql = psycopg.ClientCursor(raw).mogrify(self._sql, values)
            connection.queries_log.append({"sql": sql, "time": ""})
        return rows

    def row(self, *values: Any) -> tuple[Any, ...] | None:
        """The first row, if there is one."""
        return next(iter(self.rows(*values)), None)


def _checked(result: Any) -> None:
    """Raise psycopg's error if the statement failed."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    error = psycopg.errors.error_from_result(result)
    if error.sqlstate is None:  # no server answered
        raise psycopg.OperationalError(str(error))
    raise error
