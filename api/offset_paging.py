"""Pages by page number or offset. Only the vendors' protocols need them; everything else pages by
keyset.

The database has to skip all rows before the page. To keep that cheap, it skips within an index
alone, because only keys are selected, and the offset has a maximum.
"""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

MAX_OFFSET = 1_000_000


class PageTooFar(Exception):
    """The page lies beyond `MAX_OFFSET`."""

    def __init__(self) -> None:
        super().__init__(f"Pages reach up to row {MAX_OFFSET:,}")


def page(queryset: QuerySet[M], *order: str, number: int, size: int) -> list[M]:
    """Page `number`, from 1. `order` must have an index. Raises `PageTooFar`. One query."""
    return rows(queryset, *order, offset=offset_of(number, size=size), size=size)


def offset_of(number: int, *, size: int) -> int:
    """How many rows come before page `number`. Raises `PageTooFar`."""
    offset = (number - 1) * size
    if offset > MAX_OFFSET:
        raise PageTooFar
    return offset


def rows(queryset: QuerySet[M], *order: str, offset: int, size: int) -> list[M]:
    """At most `size` rows after the first `offset`; otherwise like `page`."""
    if offset > MAX_OFFSET:
        raise PageTooFar
    keys = queryset.order_by(*order).values("pk")[offset : offset + size]
    return list(queryset.model._default_manager.filter(pk__in=keys).order_by(*order))
