"""Pages by page number or offset. Only the vendors' protocols need them; everything else pages by
keyset.

The database has to skip all rows before the page. To keep that cheap, it skips within an index
alone, because only keys are selected, and the offset has a maximum. Where lists are long, `Ends`
spares those who walk from page to page most of it.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
P = TypeVar("P")

MAX_OFFSET = 1_000_000
KEPT_FOR = timedelta(minutes=1)
ENDS_OF_A_LIST, LISTS = 64, 200


class _End(NamedTuple, Generic[P]):
    offset: int
    place: P
    at: datetime


class Ends(Generic[P]):
    """Where the pages ended that this process has read in the last minute, so that the next page
    starts there, as by keyset, and skips nothing.

    A `place` is what a list's statement needs to go on after a row. Another process has read other
    pages: whoever walks skips from the last one that was read here. Rows that come or go before
    such a place shift the pages after it no more, so a walk repeats and misses none of the others.
    """

    def __init__(self) -> None:
        self._lists: OrderedDict[Hashable, OrderedDict[int, _End[P]]] = OrderedDict()
        self._lock = Lock()

    def before(self, of: Hashable, offset: int, *, now: datetime) -> tuple[P | None, int]:
        """The last place that is known before the row with this offset, and how many rows are to be
        skipped from there; None is the start.
        """
        with self._lock:
            ends = [
                end
                for end in self._lists.get(of, {}).values()
                if end.offset <= offset and now - end.at < KEPT_FOR
            ]
        if not ends:
            return None, offset
        last = max(ends, key=lambda end: end.offset)
        return last.place, offset - last.offset

    def keep(self, of: Hashable, offset: int, place: P, *, now: datetime) -> None:
        """A page ended before the row with this offset."""
        with self._lock:
            ends = self._lists.setdefault(of, OrderedDict())
            self._lists.move_to_end(of)
            ends[offset] = _End(offset, place, now)
            ends.move_to_end(offset)
            if len(ends) > ENDS_OF_A_LIST:
                ends.popitem(last=False)
            if len(self._lists) > LISTS:
                self._lists.popitem(last=False)


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
