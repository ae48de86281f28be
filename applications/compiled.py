"""Queries whose SQL is composed once, for the few that nearly every API call makes.

Django composes SQL anew for each query, which for a read by key takes several times as long as the
read itself.

Invariant: what is read is what the queryset would read: its SQL, converters and models.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)


class Compiled(Generic[M]):
    """`Compiled(build, *samples)` stands for `build(*values)`, for values of the samples' types.

    Samples differ from each other and from whatever else the query compares with. Values are
    passed on to the database as they are: texts and numbers, not what a field would convert.
    """

    def __init__(self, build: Callable[..., QuerySet[M]], *samples: Any) -> None:
        self._build = build
        self._samples = samples

    def __call__(self, *values: Any) -> list[M]:
        """The rows, by one query."""
        plan = self._plan
        given = dict(zip(self._samples, values, strict=True))
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(plan.sql, [given.get(each, each) for each in plan.parameters])
            rows = cursor.fetchall()
        return [plan.model_of(row) for row in plan.converted(rows)]

    @cached_property
    def _plan(self) -> "_Plan":
        return _Plan(self._build(*self._samples))


class _Plan:
    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, self.parameters = compiler.as_sql()
        self._compiler = compiler
        self._converters = compiler.get_converters(
            [selected[0] for selected in compiler.select[: compiler.col_count]]
        )
        # From here on as in Django's own `ModelIterable`.
        fields = compiler.klass_info["select_fields"]
        self._model = compiler.klass_info["model"]
        self._columns = slice(fields[0], fields[-1] + 1)
        self._names = [selected[0].target.attname for selected in compiler.select[self._columns]]
        self._related = get_related_populators(  # type: ignore[call-arg]  # stubs are of Django 6
            compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS
        )

    def converted(self, rows: Any) -> Any:
        return self._compiler.apply_converters(rows, self._converters)

    def model_of(self, row: Any) -> Any:
        found = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._columns])
        for related in self._related:
            related.populate(row, found)
        return found
