"""Keyset pagination: the next page starts after the last row seen, which an index finds.

Invariants
----------
* The order ends with a unique column, so no row is skipped or repeated while rows are added and
  removed.
* All columns of an order have the same direction and are never NULL: the condition is one row
  comparison, which PostgreSQL answers from the index at any depth.
* A cursor is opaque. Text that `Keyset` did not make raises `BadCursor`.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import BadRequest
from django.db import models
from django.db.models import Func, Model, QuerySet, Value
from django.db.models.expressions import F
from django.db.models.lookups import GreaterThan, LessThan

M = TypeVar("M", bound=Model)
R = TypeVar("R")


class BadCursor(BadRequest):
    """Not a cursor of this list. Views need not catch it: Django answers 400."""


class _Row(Func):
    """A row value: `(a, b)`."""

    template = "(%(expressions)s)"
    arg_joiner = ", "
    output_field = models.TextField()


class _RowLessThan(LessThan):
    def get_prep_lookup(self) -> Any:
        return self.rhs


class _RowGreaterThan(GreaterThan):
    def get_prep_lookup(self) -> Any:
        return self.rhs


@dataclass(frozen=True)
class Page(Generic[R]):
    """Rows in order. `next` and `previous` are cursors, or None at the ends."""

    rows: list[R]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class Keyset:
    """An order to page by, such as `Keyset("-registered_at", "-id")`."""

    columns: tuple[str, ...]

    def __init__(self, *columns: str):
        if len({column.startswith("-") for column in columns}) != 1:
            raise ValueError("all columns of a keyset run the same way")
        object.__setattr__(self, "columns", columns)

    @property
    def _names(self) -> list[str]:
        return [column.lstrip("-") for column in self.columns]

    def _fields(self, model: type[Model]) -> "list[models.Field[Any, Any]]":
        fields = [model._meta.get_field(name) for name in self._names]
        # A generated column does not convert values; its output field does.
        return [
            getattr(field, "output_field", None) or field
            for field in fields
            if isinstance(field, models.Field)
        ]

    def page(self, queryset: QuerySet[M], *, cursor: str = "", size: int) -> Page[M]:
        """`size` rows after the cursor (before it, if it is a `previous` cursor); "" is the start.

        One query. It reads one row more, to know whether there is another page.
        """
        backwards, values = self._decode(cursor, queryset.model) if cursor else (False, None)
        descending = self.columns[0].startswith("-") != backwards
        ordered = queryset.order_by(*(("-" if descending else "") + name for name in self._names))
        if values is not None:
            ordered = ordered.filter(self._after(values, queryset.model, descending))
        rows: list[M] = list(ordered[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        came_from = bool(cursor) and bool(rows)
        return Page(
            rows=rows,
            next=self._encode(rows[-1], "n") if (came_from if backwards else more) else None,
            previous=self._encode(rows[0], "p") if (more if backwards else came_from) else None,
        )

    def place(self, cursor: str, model: type[Model]) -> list[Any]:
        """The values of the columns after which a next page starts, for a statement. Raises
        `BadCursor`.
        """
        backwards, values = self._decode(cursor, model)
        if backwards:
            raise BadCursor(cursor)
        return values

    def cursor_after(self, row: Any) -> str:
        """The cursor of the page after this row, which has the columns as attributes."""
        return self._encode(row, "n")

    def _after(self, values: Sequence[Any], model: type[Model], descending: bool) -> Any:
        fields = self._fields(model)
        row = _Row(*(F(name) for name in self._names))
        cursor = _Row(
            *(Value(value, output_field=field) for value, field in zip(values, fields, strict=True))
        )
        return (_RowLessThan if descending else _RowGreaterThan)(row, cursor)

    def _encode(self, row: Any, direction: str) -> str:
        values = [getattr(row, name) for name in self._names]
        text = json.dumps(
            [
                direction,
                *(
                    {"t": value.astimezone(UTC).isoformat()}
                    if isinstance(value, datetime)
                    else value
                    for value in values
                ),
            ],
            separators=(",", ":"),
        )
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _decode(self, cursor: str, model: type[Model]) -> tuple[bool, list[Any]]:
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            direction, *values = json.loads(raw)
            if direction not in {"n", "p"}:
                raise ValueError("neither next nor previous")
            values = [
                _column_value(field, value)
                for field, value in zip(self._fields(model), values, strict=True)
            ]
        except Exception as error:
            raise BadCursor(cursor) from error
        return direction == "p", values


def _column_value(field: "models.Field[Any, Any]", value: Any) -> Any:
    """The value, if the column can hold it. Raises any exception if it cannot."""
    if isinstance(value, dict):
        value = datetime.fromisoformat(value["t"])
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
    if isinstance(value, str) and b"\0" in value.encode():  # `encode` refuses lone surrogates
        raise ValueError("PostgreSQL does not store NUL")
    if type(value) is not type(field.to_python(value)):
        raise TypeError("a value of another column")
    field.run_validators(value)
    return value
