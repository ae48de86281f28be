"""Ids that differ only in upper and lower case.

Some vendors tell `Mia` from `mia`, others do not. An environment that ignores case
(`Environment.ids_ignore_case`) admits one spelling of an id, whichever door it comes through.

Invariants
----------
* PostgreSQL refuses a second spelling, of whoever inserts it (the trigger of migration
  0005_one_spelling): of a registered id, and of a deactivated one.
* No race gets past it: `identity.lock` has one key for all spellings of an id, and who registers
  holds it.
* Users who were registered before keep their spellings, and register again under them.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, connection, transaction

from users import identity

P = ParamSpec("P")
R = TypeVar("R")

# The name that the trigger refuses under.
CONSTRAINT = "users_appuser_one_spelling"


class TakenInAnotherCase(identity.InvalidUserId):
    """Another spelling of these ids is registered or deactivated here."""

    def __init__(self, user_ids: Iterable[str]):
        self.user_ids = sorted(user_ids)
        super().__init__(self.user_ids[0])
        listed = ", ".join(self.user_ids)
        self.args = (f"Another spelling is taken, and case is ignored here: {listed}",)


def told(verb: Callable[P, R]) -> Callable[P, R]:
    """For verbs that register, with `environment` among their keywords: what the trigger refuses
    leaves them as `TakenInAnotherCase`.
    """

    @wraps(verb)
    def telling(*args: P.args, **kwargs: P.kwargs) -> R:
        environment: Any = kwargs["environment"]
        # Else the refusal would spoil the transaction of a caller who has an answer to it.
        is_part = connection.in_atomic_block and environment.ids_ignore_case
        try:
            with transaction.atomic() if is_part else nullcontext():
                return verb(*args, **kwargs)
        except IntegrityError as error:
            raised = getattr(error.__cause__, "diag", None)
            if raised is None or raised.constraint_name != CONSTRAINT:
                raise
            raise TakenInAnotherCase(json.loads(raised.message_detail)) from None

    return telling
