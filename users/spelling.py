"""Ids that differ only in upper and lower case.

Some vendors distinguish `Mia` from `mia`, others do not. An environment that ignores case
(`Environment.ids_ignore_case`) admits one spelling of an id, by every API and page.

Invariants
----------
* A trigger in PostgreSQL (migration 0005_one_spelling) refuses a second spelling of a registered or
  deactivated id on every insert.
* It is safe under concurrency: `identity.lock` has one key for all spellings of an id, and
  registration holds it.
* Users who were registered before the setting was changed keep their spellings, and can register
  again with them.
"""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext

from users import identity

P = ParamSpec("P")
R = TypeVar("R")

# The constraint name in the trigger's error.
CONSTRAINT = "users_appuser_one_spelling"


class TakenInAnotherCase(identity.InvalidUserId):
    """Another spelling of these ids is registered or deactivated here."""

    def __init__(self, user_ids: Iterable[str]):
        self.user_ids = sorted(user_ids)
        super().__init__(self.user_ids[0])
        listed = ", ".join(self.user_ids)
        self.args = (
            gettext("Another spelling is taken, and case is ignored here: {listed}").format(
                listed=listed
            ),
        )


def raises_taken_in_another_case(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator for functions that register, with a keyword argument `environment`: raises
    `TakenInAnotherCase` instead of the trigger's `IntegrityError`.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        environment: Any = kwargs["environment"]
        # Without a savepoint, the error would break the transaction of a caller that handles it.
        needs_savepoint = environment.ids_ignore_case and connection.in_atomic_block
        try:
            if needs_savepoint:
                with transaction.atomic():
                    return function(*args, **kwargs)
            return function(*args, **kwargs)
        except IntegrityError as error:
            diagnostic = getattr(error.__cause__, "diag", None)
            if diagnostic is None or diagnostic.constraint_name != CONSTRAINT:
                raise
            raise TakenInAnotherCase(json.loads(diagnostic.message_detail)) from None

    return wrapper
