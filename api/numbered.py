"""Lists by page number or offset: what a vendor's wire demands of us, and nothing else here does.

It makes the database count its way to the page. It counts within an index alone, for only keys are
read on the way; and there is a furthest row.
"""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

MAX_OFFSET = 1_000_000


class PageTooFar(Exception):
    """Behind the last row that can be asked for by page number."""

    def __init__(self) -> None:
        super().__init__(f"Pages reach up to row {MAX_OFFSET:,}")


def page(queryset: QuerySet[M], *order: str, number: int, size: int) -> list[M]:
    """Page `number`, from 1, in an order that an index has. Raises `PageTooFar`. One query."""
    return rows(queryset, *order, offset=(number - 1) * size, size=size)


def rows(queryset: QuerySet[M], *order: str, offset: int, size: int) -> list[M]:
    """As many as `size` rows behind the first `offset`; see `page`."""
    if offset > MAX_OFFSET:
        raise PageTooFar
    keys = queryset.order_by(*order).values("pk")[offset : offset + size]
    return list(queryset.model._default_manager.filter(pk__in=keys).order_by(*order))
