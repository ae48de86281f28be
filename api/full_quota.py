"""What a refusal says of a full quota, for programs."""

from contextlib import suppress
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from users import reclaim
from users.quota import QuotaExceeded

CANDIDATES = 5


def details(error: QuotaExceeded) -> dict[str, Any]:
    """The limit, how many places are used, and in development the users who are safest to delete:
    nobody whom somebody may miss.
    """
    if error.candidates is None:
        error.candidates = []
        with suppress(DatabaseError):  # the refusal stands without them
            error.candidates = _candidates(error)
    return {"limit": error.limit, "used": error.used.value, "candidates": error.candidates}


def _candidates(error: QuotaExceeded) -> list[dict[str, str]]:
    if error.environment is None or not error.environment.is_development:
        return []
    plan = reclaim.plan(environment=error.environment, wanted=CANDIDATES, now=timezone.now())
    return [
        {"user_id": each.user.user_id, "reason": each.reason}
        for each in plan.candidates
        if not each.may_be_missed
    ]
