"""Answers calls that arrive together with one statement."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import DataError, IntegrityError

from gateway.database import run_in_thread

Q = TypeVar("Q")
A = TypeVar("A")


class Batches(Generic[Q, A]):
    """Calls `answer`, in a thread, with up to `most` questions at once; it returns as many answers,
    in order. While `at_once` batches run, further questions wait for the next one: the busier the
    process, the larger its batches.

    Invariant: a question that the database refuses harms no other. Its batch is asked again, each
    question alone.
    """

    def __init__(
        self, answer: Callable[[Sequence[Q]], Sequence[A]], *, most: int, at_once: int = 1
    ) -> None:
        self._answer, self._most, self._at_once = answer, most, at_once
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._running: set[asyncio.Task[None] | None] = set()

    async def ask(self, question: Q) -> A:
        """The answer to this question. Raises what `answer` raises."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if len(self._running) < self._at_once:
            self._running.add(asyncio.create_task(self._run()))
        return await future

    async def _run(self) -> None:
        while self._waiting:
            count = min(self._most, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            try:
                await self._answer_all(batch)
            except (DataError, IntegrityError):
                for each in batch:
                    await self._answer_alone(each)
            except Exception as error:
                _fail(batch, error)
        # Not in a callback, which runs later: a question in between would be forgotten.
        self._running.discard(asyncio.current_task())

    async def _answer_all(self, batch: list[tuple[Q, asyncio.Future[A]]]) -> None:
        answers = await run_in_thread(self._answer, [question for question, _ in batch])
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # its client may have hung up
                future.set_result(answer)

    async def _answer_alone(self, each: tuple[Q, asyncio.Future[A]]) -> None:
        try:
            await self._answer_all([each])
        except Exception as error:
            _fail([each], error)


def _fail(batch: Sequence[tuple[Q, asyncio.Future[A]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
