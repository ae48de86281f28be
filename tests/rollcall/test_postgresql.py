"""A thread keeps its connection as long as it lives, and does not ask it whether it lives."""

import pytest
from django.db import (
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)

from applications.outages import is_database_lost
from applications.statements import Statement
from tests.waiting import eventually

PROCESS = Statement("SELECT pg_backend_pid()")


@pytest.fixture
def kept(transactional_db):
    """Another connection, kept as in production."""
    known = connections["default"].settings_dict
    kept = type(connections["default"])(
        {**known, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}, alias="kept"
    )
    yield kept
    kept.close()


def asked(kept, sql, *values):
    with kept.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def process(kept):
    return asked(kept, "SELECT pg_backend_pid()")


def end(process, by=connection):
    asked(by, "SELECT pg_terminate_backend(%s)", process)
    gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    assert eventually(lambda: asked(by, gone, process) == 0)


def test_one_that_was_ended_between_two_calls_is_replaced(kept):
    before = process(kept)
    kept.close_if_unusable_or_obsolete()
    end(before)

    assert process(kept) != before


def test_one_that_was_ended_in_a_call_fails_once(kept):
    before = process(kept)
    end(before)
    with pytest.raises(OperationalError):
        process(kept)
    kept.close_if_unusable_or_obsolete()

    assert process(kept) != before


def test_a_living_one_is_kept_without_a_round_trip(kept):
    before = process(kept)
    told = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
    idle_since = asked(connection, told, before)
    kept.close_if_unusable_or_obsolete()
    kept.close_if_health_check_failed()

    assert asked(connection, told, before) == idle_since
    assert process(kept) == before


def test_a_living_one_with_something_to_read_is_kept(kept):
    before = process(kept)
    with kept.cursor() as cursor:
        cursor.execute("LISTEN heard")
    kept.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY heard")

    assert process(kept) == before


def test_a_prepared_statement_replaces_one_that_was_ended(transactional_db):
    known = connections["default"]
    other = type(known)(
        {**known.settings_dict, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}, "default"
    )
    connections["default"] = other
    try:
        [(before,)] = PROCESS.rows()
        close_old_connections()
        with_known = known.cursor()
        with_known.execute("SELECT pg_terminate_backend(%s)", [before])
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        assert eventually(
            lambda: with_known.execute(gone, [before]) or with_known.fetchone() == (0,)
        )

        assert PROCESS.rows() != [(before,)]
    finally:
        other.close()
        connections["default"] = known


@pytest.mark.parametrize(("wanted", "is_kept"), [("read-write", False), ("any", True)])
def test_one_that_has_become_read_only_is_replaced_by_one_that_takes_writes(kept, wanted, is_kept):
    """A standby by now, or fenced off. Without other hosts to choose from it is kept."""
    kept.settings_dict["OPTIONS"] = {
        **kept.settings_dict["OPTIONS"],
        "target_session_attrs": wanted,
    }
    before = process(kept)
    with kept.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(InternalError) as refused, kept.cursor() as cursor:
        cursor.execute("CREATE TABLE refused ()")
    assert is_database_lost(refused.value)
    kept.close_if_unusable_or_obsolete()

    assert (process(kept) == before) is is_kept
