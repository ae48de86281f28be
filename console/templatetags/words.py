"""How the console writes times, durations and large numbers. `static/console.js` does the same."""

import re
from datetime import datetime, timedelta

from applications.counting import Count

_UNITS = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_APP_KEY = re.compile(r"[0-9a-f]{32}")


def duration(value: timedelta | float, parts: int = 2) -> str:
    """`2 h 10 min`, `3 days`, `45 s`: at most `parts` consecutive units."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    rest = max(0, int(seconds))
    words: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count} {unit}s" if unit == "day" and count > 1 else f"{count} {unit}")
        if words and (len(words) == parts or not count or (unit == "day" and count >= 10)):
            break
    return " ".join(words) or "0 s"


def precise(value: timedelta) -> str:
    """`12 ms`, `1.4 s`; from a minute on as `duration`."""
    seconds = value.total_seconds()
    if seconds >= 60:
        return duration(value)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def relative(moment: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`. A moment 30 days or more away is a date."""
    distance = moment - now
    if abs(distance) < timedelta(seconds=10):
        return "just now"
    if abs(distance) >= timedelta(days=30):
        return f"{moment.day} {moment:%b %Y}"
    words = duration(abs(distance), parts=1)
    return f"in {words}" if distance > timedelta(0) else f"{words} ago"


def exact(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M:%S} UTC"


def estimate(number: int | Count) -> str:
    """`1,234`, `about 1.2 million`, `more than 10,000`. A plain int is exact."""
    return str(number if isinstance(number, Count) else Count(number))


def initials(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").replace(".", " ").split() or [name]
    letters = words[0][:2] if len(words) == 1 else "".join(word[0] for word in words[:2])
    return letters.upper()


def actor(name: str) -> str:
    """The name of an account, or the last four characters of an app key."""
    return f"app key …{name[-4:]}" if _APP_KEY.fullmatch(name) else name
