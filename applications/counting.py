"""Counts that cost the same for ten million rows as for a thousand.

Invariants
----------
* No page counts more than `EXACT_UP_TO` rows. Above, a number is an estimate or a lower bound.
* Pages print `str(count)`, which says so: "221", "about 1.2 million", "more than 10,000". `value`
  is for arithmetic only.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet, Subquery
from django.utils.translation import gettext

EXACT_UP_TO = 10_000
# Of rows that another table names: each costs a look into an index.
LOOKED_UP_UP_TO = 1_000


@dataclass(frozen=True)
class Count:
    """A number of rows. If not `exact`, it is an estimate or, with `at_least`, a lower bound."""

    value: int
    exact: bool = True
    at_least: bool = False

    def __str__(self) -> str:
        if self.at_least:
            return gettext("more than {number:,}").format(number=self.value)
        return (
            f"{self.value:,}"
            if self.exact
            else gettext("about {number}").format(number=_in_words(self.value))
        )


def _in_words(number: int) -> str:
    """Rounded to two digits: an estimate is not more precise."""
    rounded = float(f"{number:.1e}")
    if rounded >= 1e9:
        return gettext("{number:g} billion").format(number=rounded / 1e9)
    if rounded >= 1e6:
        return gettext("{number:g} million").format(number=rounded / 1e6)
    return f"{rounded:,.0f}"


def bounded(found: int, *, at: int) -> Count:
    """The count of a query that is limited to `at` + 1 rows."""
    return Count(found) if found <= at else Count(at, exact=False, at_least=True)


def count(queryset: QuerySet[Any], *, is_looked_up: bool = False) -> Count:
    """Exact up to `EXACT_UP_TO`, or `LOOKED_UP_UP_TO` if it `is_looked_up`; above, PostgreSQL's
    estimate for this query, or a lower bound if the estimate is below that.
    """
    most = LOOKED_UP_UP_TO if is_looked_up else EXACT_UP_TO
    found = bounded(queryset.order_by()[: most + 1].count(), at=most)
    if found.exact:
        return found
    plan = json.loads(queryset.order_by().values("pk").explain(format="json"))
    estimate = int(plan[0]["Plan"]["Plan Rows"])
    return Count(estimate, exact=False) if estimate > most else found


class BoundedCount(Subquery):
    """An annotation that counts a correlated queryset, up to the end of its slice.

    `BoundedCount(AppUser.objects.filter(environment=OuterRef("pk")).values("pk")[:101])`
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS bounded)"
    output_field = models.IntegerField()
