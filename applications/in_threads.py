"""Work on very many batches, several at once, each in a transaction of its own."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
R = TypeVar("R")

# Half of the time PostgreSQL works and Python waits, or the other way round.
AT_ONCE = 4


def results(work: Callable[[T], R], batches: Iterable[T]) -> Iterator[R]:
    """Call `work` with each batch, in threads with a database connection of their own; yield what
    it returns, in the order in which it is done.

    In a transaction, which only its own thread can see, they run one after another in that thread.
    Raises what `work` and `batches` raise; then no further batch is begun.
    """
    given = iter(batches)
    if connection.in_atomic_block:
        yield from map(work, given)
        return
    turn, finished = Lock(), SimpleQueue[R | None]()

    def work_on() -> None:
        nonlocal given
        try:
            while True:
                with turn:
                    batch = next(given, None)
                if batch is None:
                    return
                finished.put(work(batch))
        except BaseException:
            given = iter(())
            raise
        finally:
            connection.close()  # this thread's
            finished.put(None)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        workers = [pool.submit(work_on) for _ in range(AT_ONCE)]
        try:
            for _ in workers:
                yield from iter(finished.get, None)
        finally:
            given = iter(())
    for worker in workers:
        worker.result()
