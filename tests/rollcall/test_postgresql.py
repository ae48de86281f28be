"""The pool hands out living connections, and asks none whether it lives."""

import pytest
from django.db import OperationalError, connection, connections

from tests.waiting import eventually

POOL = {"min_size": 1, "max_size": 1, "timeout": 5}


@pytest.fixture
def pooled(transactional_db):
    """The product's connection, with a pool of one that is its own."""
    known = connection.settings_dict
    own = {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {**known["OPTIONS"], "pool": POOL},
    }
    pooled = type(connections["default"])({**known, **own}, alias="pooled")
    yield pooled
    pooled.close()
    pooled.close_pool()


def asked(pooled, sql, *values):
    with pooled.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def process(pooled):
    return asked(pooled, "SELECT pg_backend_pid()")


def end(process):
    asked(connection, "SELECT pg_terminate_backend(%s)", process)
    gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    assert eventually(lambda: asked(connection, gone, process) == 0)


def test_a_connection_that_was_ended_in_the_pool_is_replaced(pooled):
    before = process(pooled)
    pooled.close()
    end(before)

    assert process(pooled) != before


def test_a_connection_that_was_ended_in_use_fails_once(pooled):
    before = process(pooled)
    end(before)
    with pytest.raises(OperationalError):
        process(pooled)
    pooled.close()

    assert process(pooled) != before


def test_a_living_connection_is_handed_out_without_a_round_trip(pooled):
    before = process(pooled)
    pooled.close()
    told = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
    idle_since = asked(connection, told, before)
    pooled.ensure_connection()

    assert asked(connection, told, before) == idle_since
    assert process(pooled) == before


def test_a_living_connection_with_something_to_read_is_kept(pooled):
    before = process(pooled)
    with pooled.cursor() as cursor:
        cursor.execute("LISTEN heard")
    pooled.close()
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY heard")

    assert process(pooled) == before
