"""Counts that cost the same at ten million rows as at a thousand.

Invariant: no page counts more than `EXACT_UP_TO` rows. Beyond, a number is an estimate and says so.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet, Subquery

EXACT_UP_TO = 10_000


@dataclass(frozen=True)
class Count:
    """How many rows. Unless `exact`, `value` is the planner's estimate, or where the planner cannot
    be asked a lower bound (`at_least`).
    """

    value: int
    exact: bool = True
    at_least: bool = False


def count(queryset: QuerySet[Any]) -> Count:
    """Exact up to `EXACT_UP_TO`; beyond, PostgreSQL's own estimate for this very query."""
    bounded = queryset.order_by()[: EXACT_UP_TO + 1].count()
    if bounded <= EXACT_UP_TO:
        return Count(bounded)
    plan = json.loads(queryset.order_by().values("pk").explain(format="json"))
    return Count(max(int(plan[0]["Plan"]["Plan Rows"]), EXACT_UP_TO + 1), exact=False)


class BoundedCount(Subquery):
    """An annotation that counts a correlated queryset, no further than its slice.

    `BoundedCount(AppUser.objects.filter(environment=OuterRef("pk")).values("pk")[:101])`
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS bounded)"
    output_field = models.IntegerField()
