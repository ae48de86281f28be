"""Where pages of long lists ended is remembered, for a while and within bounds."""

from datetime import timedelta

import pytest

from api.offset_paging import ENDS_OF_A_LIST, KEPT_FOR, LISTS, Ends
from tests.factories import NOON


@pytest.fixture
def ends():
    ends: Ends[str] = Ends()
    ends.keep("list", 50, "row 50", now=NOON)
    ends.keep("list", 150, "row 150", now=NOON)
    return ends


@pytest.mark.parametrize(
    ("offset", "found"),
    [
        (0, (None, 0)),
        (49, (None, 49)),
        (50, ("row 50", 0)),
        (149, ("row 50", 99)),
        (150, ("row 150", 0)),
        (1_000, ("row 150", 850)),
    ],
)
def test_a_page_starts_at_the_last_end_before_it(ends, offset, found):
    assert ends.before("list", offset, now=NOON) == found
    assert ends.before("another list", offset, now=NOON) == (None, offset)


def test_an_end_is_forgotten_in_time(ends):
    later = NOON + KEPT_FOR
    assert ends.before("list", 50, now=later - timedelta(seconds=1)) == ("row 50", 0)
    assert ends.before("list", 50, now=later) == (None, 50)


def test_a_page_that_is_read_again_ends_where_it_ends_now(ends):
    ends.keep("list", 50, "another row", now=NOON)
    assert ends.before("list", 50, now=NOON) == ("another row", 0)


def test_memory_is_bounded(ends):
    for number in range(ENDS_OF_A_LIST):
        ends.keep("list", 1_000 + number, "row", now=NOON)
    assert ends.before("list", 999, now=NOON) == (None, 999)
    for number in range(LISTS):
        ends.keep(number, 50, "row", now=NOON)
    assert ends.before("list", 2_000, now=NOON) == (None, 2_000)
