"""Threads that start together, each with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from tests.waiting import PATIENCE


def race(*runners: Callable[[], Any]) -> list[Any]:
    """What each runner answers, or the exception it raises, in the order given."""
    barrier = threading.Barrier(len(runners))
    answers: list[Any] = [None] * len(runners)

    def run(place: int, runner: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=PATIENCE)
            answers[place] = runner()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(place, runner)) for place, runner in enumerate(runners)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=2 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a runner waits for ever"
    return answers


def only(kinds: type[Exception] | tuple[type[Exception], ...], answers: Sequence[Any]) -> list[Any]:
    """The answers that are no refusals; fails where a runner ended by any other exception."""
    unexpected = [
        each for each in answers if isinstance(each, Exception) and not isinstance(each, kinds)
    ]
    assert not unexpected, unexpected
    return [each for each in answers if not isinstance(each, Exception)]


def waiting_for_locks() -> int:
    """How many statements in this database cannot go on before another transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees one moment only
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]
