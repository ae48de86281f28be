"""Counts that cost the same at ten million rows as at a thousand.

Invariants
----------
* No page counts more than `EXACT_UP_TO` rows. Beyond, a number is an estimate or a lower bound.
* Whoever prints a `Count` prints `str` of it, which says so: "221", "about 1.2 million", "more than
  10,000". Its bare `value` is for arithmetic.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet, Subquery

EXACT_UP_TO = 10_000


@dataclass(frozen=True)
class Count:
    """How many rows. Unless `exact`, there are about `value` of them, or where that is not known
    either, more than `value` (`at_least`).
    """

    value: int
    exact: bool = True
    at_least: bool = False

    def __str__(self) -> str:
        if self.at_least:
            return f"more than {self.value:,}"
        return f"{self.value:,}" if self.exact else f"about {_in_words(self.value)}"


def _in_words(number: int) -> str:
    """Two digits, for an estimate knows no more."""
    rounded = float(f"{number:.1e}")
    for word, size in (("billion", 1e9), ("million", 1e6)):
        if rounded >= size:
            return f"{rounded / size:g} {word}"
    return f"{rounded:,.0f}"


def bounded(found: int, *, at: int) -> Count:
    """What a query found that stops one row behind `at`."""
    return Count(found) if found <= at else Count(at, exact=False, at_least=True)


def count(queryset: QuerySet[Any]) -> Count:
    """Exact up to `EXACT_UP_TO`; beyond, PostgreSQL's own estimate for this very query, unless that
    is below what was counted.
    """
    found = bounded(queryset.order_by()[: EXACT_UP_TO + 1].count(), at=EXACT_UP_TO)
    if found.exact:
        return found
    plan = json.loads(queryset.order_by().values("pk").explain(format="json"))
    estimate = int(plan[0]["Plan"]["Plan Rows"])
    return Count(estimate, exact=False) if estimate > EXACT_UP_TO else found


class BoundedCount(Subquery):
    """An annotation that counts a correlated queryset, no further than its slice.

    `BoundedCount(AppUser.objects.filter(environment=OuterRef("pk")).values("pk")[:101])`
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS bounded)"
    output_field = models.IntegerField()
