"""Which errors of the database mean that it is away."""

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, connections

from applications.outages import is_database_lost


def error_of(other, statement):
    with pytest.raises(DatabaseError) as raised, other.cursor() as cursor:
        cursor.execute(statement)
    return raised.value


@pytest.fixture
def other(db):
    """A further connection, for a test to break."""
    other = connection.copy()
    yield other
    other.close()


def test_a_terminated_connection_is_lost(other):
    ended = error_of(other, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_database_lost(ended)
    assert is_database_lost(error_of(other, "SELECT 1"))


def test_an_address_where_nobody_listens_is_lost(lose_database):
    lose_database()
    assert is_database_lost(error_of(connections["default"], "SELECT 1"))


def test_one_that_changes_nothing_is_lost(other):
    with other.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    assert is_database_lost(error_of(other, "CREATE TABLE nothing ()"))


def test_a_cancelled_or_a_wrong_query_is_not(other):
    with other.cursor() as cursor:
        cursor.execute("SET statement_timeout = 10")
    cancelled = error_of(other, "SELECT pg_sleep(5)")
    with other.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
    assert isinstance(cancelled, OperationalError)
    assert not is_database_lost(cancelled)
    wrong = error_of(other, "SELECT nothing")
    assert isinstance(wrong, ProgrammingError)
    assert not is_database_lost(wrong)
    assert not is_database_lost(None)
