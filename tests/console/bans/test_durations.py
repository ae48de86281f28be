"""Ends of bans, as people type them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.bans.durations import NotAnEnd, parse, zone_named
from moderation.models import NEVER
from tests.factories import DAY, HOUR, MINUTE, NOON
from tests.generated import given, st

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "lasts"),
    [
        ("90m", 90 * MINUTE),
        ("2h 30m", 150 * MINUTE),
        ("2h30m", 150 * MINUTE),
        ("3d", 3 * DAY),
        ("1w", 7 * DAY),
        (" 1 Week, 2 days and 3 HOURS ", 9 * DAY + 3 * HOUR),
        ("45 min", 45 * MINUTE),
        ("30 seconds", timedelta(seconds=30)),
    ],
)
def test_durations_count_from_now(text, lasts):
    assert parse(text, now=NOON) == NOON + lasts


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-12-24 18:00", datetime(2026, 12, 24, 17, tzinfo=UTC)),
        ("2026-12-24T18:00:30", datetime(2026, 12, 24, 17, 0, 30, tzinfo=UTC)),
        ("2026-12-24 18:00Z", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24 18:00+05:30", datetime(2026, 12, 24, 12, 30, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
    ],
)
def test_dates_without_an_offset_are_read_in_the_browsers_zone(text, end):
    assert parse(text, now=NOON, zone=BERLIN) == end


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "soon", "3", "3 x", "3days ago", "-3d", "1.5h", "3m3", "٣d", "d3"),
        *("0m", "2026-03-02 12:00", "2020-01-01", "2026-02-30", "2026-13-01", "26-12-24"),
        *("999999999w", "9999-01-01", "9999-12-31 23:59-14:00", "0001-01-01 00:00+14:00"),
        "2026-12-24 25:00",
    ],
)
def test_any_other_text_is_refused_with_a_sentence(text):
    with pytest.raises(NotAnEnd, match=r"\.$"):
        parse(text, now=NOON)


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="0123456789wdhms -:TZ+and,"),
        st.from_regex(r"\A\d{1,9} ?[wdhms]( \d{1,9}[wdhms]){0,3}\Z"),
        st.from_regex(r"\A\d{4}-\d\d-\d\d( \d\d:\d\d([+-]\d\d:\d\d)?)?\Z"),
    ),
    st.sampled_from([UTC, BERLIN, ZoneInfo("Pacific/Kiritimati")]),
)
def test_an_end_is_always_in_the_future_and_before_never(text, zone):
    try:
        end = parse(text, now=NOON, zone=zone)
    except NotAnEnd:
        return
    assert NOON < end < NEVER
    assert end.tzinfo is UTC


@given(st.integers(1, 5_000), st.sampled_from("wdhm"))
def test_a_unit_equals_its_number_of_seconds(number, unit):
    seconds = number * {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60}[unit]
    assert parse(f"{number}{unit}", now=NOON) == parse(f"{seconds}s", now=NOON)


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../etc/passwd", "x" * 300, "a\0b", "é"])
def test_an_unknown_zone_is_utc(name):
    assert zone_named(name) is UTC
