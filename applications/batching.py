"""Batching: calls that wait at the same moment share one statement and one commit.

The first call of a key leads: it asks at once, alone. The calls that come in meanwhile wait, and
when it is done, the first of them leads and asks for all of them. So nobody waits for company, and
the busier the process, the larger the batches. A statement for eight users costs the database as
much as two for one user.

Invariants
----------
* Only calls with equal keys share a statement, and no two calls with the same name.
* Each call gets the answer or the error of its own name. The statement is a transaction by itself
  and all or nothing: if it fails for several, each asks again alone, so that one's fault is not
  another's. If the database is lost, all get that error: nobody knows what was done.
* A leader whose thread ends in whatever way leaves nobody waiting.
"""

from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from applications.outages import is_database_lost

Q = TypeVar("Q")
A = TypeVar("A")


class _Call(Generic[Q, A]):
    def __init__(self, name: str, question: Q) -> None:
        self.name, self.question = name, question
        self.answer: A | None = None
        self.error: Exception | None = None
        # What to do once `turn` is released: by default, to lead.
        self.is_answered = self.asks_alone = False
        self.turn = Lock()
        self.turn.acquire()


class Batcher(Generic[Q, A]):
    """`ask` answers questions by name, up to `most` at once, all or none."""

    def __init__(self, ask: Callable[[Mapping[str, Q]], Mapping[str, A]], *, most: int) -> None:
        self._ask, self._most = ask, most
        self._lock = Lock()
        # Key → the calls that wait, while somebody leads.
        self._waiting: dict[Hashable, list[_Call[Q, A]]] = {}

    def ask(self, key: Hashable, name: str, question: Q) -> A:
        """The answer to this question. Raises what the statement raises."""
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                self._waiting[key] = []
            else:
                call: _Call[Q, A] = _Call(name, question)
                waiting.append(call)
        if waiting is None:
            try:
                return self._ask({name: question})[name]
            finally:
                self._pass_on(key)
        call.turn.acquire()
        if not (call.is_answered or call.asks_alone):
            self._lead(key)
        if call.error is not None:
            raise call.error
        if call.asks_alone:
            return self._ask({name: question})[name]
        return call.answer  # type: ignore[return-value]

    def _lead(self, key: Hashable) -> None:
        batch = self._next_batch(key)
        try:
            answers = self._ask({name: call.question for name, call in batch.items()})
            for name, call in batch.items():
                call.answer, call.is_answered = answers[name], True
        except Exception as error:
            if len(batch) == 1 or is_database_lost(error):
                for call in batch.values():
                    call.error, call.is_answered = error, True
        finally:
            self._pass_on(key)
            for call in batch.values():
                call.asks_alone = not call.is_answered
                call.turn.release()

    def _next_batch(self, key: Hashable) -> dict[str, _Call[Q, A]]:
        """The calls that waited longest, its leader first, each name once."""
        with self._lock:
            waiting = self._waiting[key]
            batch: dict[str, _Call[Q, A]] = {}
            for call in waiting:
                if len(batch) < self._most:
                    batch.setdefault(call.name, call)
            self._waiting[key] = [call for call in waiting if batch.get(call.name) is not call]
        return batch

    def _pass_on(self, key: Hashable) -> None:
        with self._lock:
            if waiting := self._waiting[key]:
                waiting[0].turn.release()
            else:
                del self._waiting[key]
