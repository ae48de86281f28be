"""The end of a ban as people type it: `90m`, `2h 30m`, `3d`, `1w`, or `2026-12-24 18:00`.

Invariant: `parse` returns a moment in UTC after `now` and before `NEVER`. For any other text it
raises `NotAnEnd`, whose message says what to enter instead.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from moderation.models import NEVER

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
# An amount with one unit, in any spelling: m, min, mins, minute, minutes.
_AMOUNT = re.compile(
    r"([0-9]{1,12})\s*(?:(w)(?:eeks?)?|(d)(?:ays?)?|(h)(?:(?:ou)?rs?)?|(m)(?:in(?:ute)?s?)?"
    r"|(s)(?:ec(?:ond)?s?)?)(?![a-z])",
    re.ASCII,
)
_GAP = re.compile(r"(?:\s|,|and\b)*", re.ASCII)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?",
    re.ASCII | re.IGNORECASE,
)


class NotAnEnd(ValueError):
    """The text is not a duration or date, or a ban cannot end then."""


def parse(text: str, *, now: datetime, zone: tzinfo = UTC) -> datetime:
    """The moment that the text means, in UTC. A date without an offset is read in `zone`; a date
    without a time means its first minute. Raises `NotAnEnd`.
    """
    text = text.strip().lower()
    try:
        end = _from_date(text, zone) if _DATE.fullmatch(text) else now + _duration(text)
        end = end.astimezone(UTC)
    except OverflowError:
        raise NotAnEnd(
            gettext("That is too far away. For a ban without an end, choose Permanent.")
        ) from None
    if end <= now:
        raise NotAnEnd(gettext("That is not in the future."))
    if end >= NEVER:
        raise NotAnEnd(gettext("That is too far away. For a ban without an end, choose Permanent."))
    return end


def zone_named(name: str) -> tzinfo:
    """The time zone with this name, as the browser sends it. UTC for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def _from_date(text: str, zone: tzinfo) -> datetime:
    try:
        end = datetime.fromisoformat(text.upper())
    except ValueError:
        raise NotAnEnd(gettext("This date does not exist.")) from None
    return end if end.tzinfo else end.replace(tzinfo=zone)


def _duration(text: str) -> timedelta:
    total, position = timedelta(0), 0
    while position < len(text) and (amount := _AMOUNT.match(text, position)):
        number, *letters = amount.groups()
        unit = next(letter for letter in letters if letter)
        total += timedelta(**{_UNITS[unit]: int(number)})
        gap = _GAP.match(text, amount.end())
        position = gap.end() if gap else amount.end()
    if not text or position < len(text):
        raise NotAnEnd(
            gettext(
                "Enter a duration, such as 90m, 2h 30m, 3d or 1w, "
                "or a date, such as 2026-12-24 18:00."
            )
        )
    return total
