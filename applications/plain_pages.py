"""Pages of plain rows, for calls that list: each page is one prepared statement.

Composing the SQL and building a model for each row takes several times as long as the database
needs. `tests/applications/test_plain_pages.py` compares with `Keyset.page` of a queryset.
"""

from functools import cached_property
from types import SimpleNamespace
from typing import Any

from django.db.models import Model

from applications.keyset import Keyset, Page
from applications.models import Environment
from applications.statements import Statement


class PlainPages:
    """Rows of the model in the order of the keyset, which have `columns` as attributes: the
    keyset's among them. `where` is SQL with a `%s` for each of the values that `page` gets.
    """

    def __init__(self, keyset: Keyset, model: type[Model], *columns: str, where: str) -> None:
        self._keyset, self._model, self._columns, self._where = keyset, model, columns, where

    def _statement(self, after: str) -> Statement:
        names = self._keyset.columns
        descending = " DESC" if names[0].startswith("-") else ""
        order = ", ".join(name.lstrip("-") + descending for name in names)
        return Statement(
            f"SELECT {', '.join(self._columns)} FROM {self._model._meta.db_table}"  # noqa: S608 - our own names
            f" WHERE {self._where}{after} ORDER BY {order} LIMIT %s"
        )

    @cached_property
    def _first(self) -> Statement:
        return self._statement("")

    @cached_property
    def _next(self) -> Statement:
        names = [name.lstrip("-") for name in self._keyset.columns]
        sign = "<" if self._keyset.columns[0].startswith("-") else ">"
        places = ", ".join("%s" for _ in names)
        return self._statement(f" AND ({', '.join(names)}) {sign} ({places})")

    def page(self, *values: Any, cursor: str = "", size: int) -> Page[Any]:
        """`size` rows after the cursor; "" is the start. Raises `BadCursor`, also for a cursor that
        leads backwards.
        """
        if cursor:
            place = self._keyset.place(cursor, self._model)
            found = self._next.rows(*values, *place, size + 1)
        else:
            found = self._first.rows(*values, size + 1)
        rows = [
            SimpleNamespace(**dict(zip(self._columns, row, strict=True))) for row in found[:size]
        ]
        following = self._keyset.cursor_after(rows[-1]) if len(found) > size else None
        return Page(rows, next=following, previous=None)


class PagesOfOwner:
    """Pages of the rows of one owner, by `id`, which is among `columns`."""

    def __init__(self, model: type[Model], *columns: str) -> None:
        where = "environment_id = %s AND owner_id = %s"
        self._oldest_first, self._newest_first = (
            PlainPages(Keyset(order), model, *columns, where=where) for order in ("id", "-id")
        )

    def page(
        self,
        environment: Environment,
        owner_id: str,
        *,
        cursor: str,
        size: int,
        newest_first: bool,
    ) -> Page[Any]:
        """As `PlainPages.page`."""
        pages = self._newest_first if newest_first else self._oldest_first
        return pages.page(environment.pk, owner_id, cursor=cursor, size=size)
