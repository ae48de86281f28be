"""Registers very many users, as seeding and imports do: in batches, several at once.

Invariants
----------
* A batch is one call of `admission.admit` and one transaction: all of it is registered, or nothing.
* Ids that are registered or deactivated stay as they are, so an interrupted run can be repeated.
* Where only one batch can make progress, because the environment has a limit or the caller a
  transaction, they run one after another in the caller's thread.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice

from applications import in_threads
from applications.audit import Actor
from applications.models import Environment
from users.admission import MOST_AT_ONCE, Newcomer, admit


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
    batches = iter(lambda: list(islice(given, MOST_AT_ONCE)), [])
    register = partial(_register, environment, by, now)
    # Registrations in an environment with a limit wait for each other.
    alone = environment.user_limit is not None
    return map(register, batches) if alone else in_threads.results(register, batches)


def _register(
    environment: Environment, by: Actor | None, now: datetime, batch: list[Newcomer]
) -> tuple[int, int]:
    admitted = admit(
        environment=environment, newcomers=batch, leave_out_deactivated=True, by=by, now=now
    )
    return len(batch), len(admitted.new)
