"""Registers very many users, as seeding and imports do: in batches, several at once.

Invariants
----------
* A batch is one call of `admission.admit` and one transaction: all of it is registered, or nothing.
* Ids that are registered or deactivated stay as they are, so an interrupted run can be repeated.
* Where only one batch can make progress, because the environment has a limit or the caller a
  transaction, they run one after another in the caller's thread.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from queue import SimpleQueue
from threading import Lock

from django.db import connection

from applications.audit import Actor
from applications.models import Environment
from users.admission import MOST_AT_ONCE, Newcomer, admit

# Half of the time PostgreSQL works and Python waits, or the other way round.
AT_ONCE = 4


def register_many(
    *,
    environment: Environment,
    newcomers: Iterable[Newcomer],
    now: datetime,
    by: Actor | None = None,
) -> Iterator[tuple[int, int]]:
    """Register `newcomers`, each id at most once in a batch; yield for each batch how many users it
    has, and how many of them are new. `by` is remembered with the places that are taken.

    Raises what `admission.admit` raises, except `UserDeactivated`; batches that were finished by
    then stay registered.
    """
    given = iter(newcomers)
    if connection.in_atomic_block or environment.user_limit is not None:
        while batch := list(islice(given, MOST_AT_ONCE)):
            yield _register(environment, batch, by, now)
        return
    turn, finished = Lock(), SimpleQueue[tuple[int, int] | None]()

    def work() -> None:
        nonlocal given
        try:
            while True:
                with turn:
                    batch = list(islice(given, MOST_AT_ONCE))
                if not batch:
                    return
                finished.put(_register(environment, batch, by, now))
        except BaseException:
            given = iter(())
            raise
        finally:
            connection.close()  # this thread's
            finished.put(None)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        workers = [pool.submit(work) for _ in range(AT_ONCE)]
        try:
            for _ in workers:
                yield from iter(finished.get, None)
        finally:
            given = iter(())
    for worker in workers:
        worker.result()


def _register(
    environment: Environment, batch: list[Newcomer], by: Actor | None, now: datetime
) -> tuple[int, int]:
    admitted = admit(
        environment=environment, newcomers=batch, leave_out_deactivated=True, by=by, now=now
    )
    return len(batch), len(admitted.new)
