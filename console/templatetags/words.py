"""How the console writes times, durations and large numbers. `static/console.js` does the same."""

import re
from datetime import datetime, timedelta

from django.utils import formats
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext

from applications.counting import Count

_APP_KEY = re.compile(r"[0-9a-f]{32}")
# A moment, a time span, or another number.
_NUMBER = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d\S*|(?P<count>\d+) (?P<unit>day|hour|minute)s?\b|\d[\d,.]*(?<=\d)"
)


def _units(seconds: int) -> list[tuple[int, str]]:
    """(count, count with its unit) for days, hours, minutes and seconds."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    return [
        (days, ngettext("{count} day", "{count} days", days).format(count=days)),
        (hours, gettext("{count} h").format(count=hours)),
        (minutes, gettext("{count} min").format(count=minutes)),
        (left, gettext("{count} s").format(count=left)),
    ]


def duration(value: timedelta | float, parts: int = 2) -> str:
    """`2 h 10 min`, `3 days`, `45 s`: at most `parts` consecutive units."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    units = _units(max(0, int(seconds)))
    words: list[str] = []
    for index, (count, text) in enumerate(units):
        if count:
            words.append(text)
        if words and (len(words) == parts or not count or (index == 0 and count >= 10)):
            break
    return " ".join(words) or units[-1][1]


def precise(value: timedelta) -> str:
    """`12 ms`, `1.4 s`; from a minute on as `duration`."""
    seconds = value.total_seconds()
    if seconds >= 60:
        return duration(value)
    if seconds >= 1:
        return gettext("{count} s").format(count=f"{seconds:.1f}")
    return gettext("{count} ms").format(count=f"{seconds * 1000:.0f}")


def relative(moment: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`. A moment 30 days or more away is a date."""
    distance = moment - now
    if abs(distance) < timedelta(seconds=10):
        return gettext("just now")
    if abs(distance) >= timedelta(days=30):
        return formats.date_format(moment, "DATE_FORMAT")
    text = gettext("in {duration}") if distance > timedelta(0) else gettext("{duration} ago")
    return text.format(duration=duration(abs(distance), parts=1))


def exact(moment: datetime) -> str:
    """`moment` is in UTC."""
    return formats.date_format(moment, "DATETIME_FORMAT")


def estimate(number: int | Count) -> str:
    """`1,234`, `about 1.2 million`, `more than 10,000`. A plain int is exact."""
    return str(number if isinstance(number, Count) else Count(number))


def initials(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").replace(".", " ").split() or [name]
    letters = words[0][:2] if len(words) == 1 else "".join(word[0] for word in words[:2])
    return letters.upper()


def actor(name: str) -> str:
    """The name of an account, or the last four characters of an app key."""
    if _APP_KEY.fullmatch(name):
        return gettext("app key …{ending}").format(ending=name[-4:])
    return name


def said(text: object) -> str:
    """A word or sentence that is stored or shared in English, such as "development" or the reason
    of a deletion, in the language of the page. `console.vocabulary` lists them, with {0} for the
    first number or time span in a sentence, and so on. What is not listed stays as it is.
    """
    sentence = str(text)
    column, colon, rest = sentence.partition(": ")
    if colon and column.isidentifier() and column.islower():  # of a file that is imported
        return f"{column}: {said(rest)}"
    if not sentence or (known := gettext(sentence)) != sentence:
        return sentence and known
    values: list[str] = []

    def place(found: re.Match[str]) -> str:
        values.append(_said_span(found) if found["unit"] else found[0])
        return f"{{{len(values) - 1}}}"

    pattern = _NUMBER.sub(place, sentence)
    known = gettext(pattern)
    return sentence if known == pattern else known.format(*values)


# For what is written before there is a page, such as the choices of a form.
said_lazily = lazy(said, str)


def sentence(text: object) -> str:
    """The reason of a refusal as a sentence: with its full stop, if it has none."""
    words = str(text)
    return words if words.endswith((".", "。", "…")) else gettext("{words}.").format(words=words)


def _said_span(found: re.Match[str]) -> str:
    count = int(found["count"])
    match found["unit"]:
        case "day":
            text = ngettext("{count} day", "{count} days", count)
        case "hour":
            text = ngettext("{count} hour", "{count} hours", count)
        case _:
            text = ngettext("{count} minute", "{count} minutes", count)
    return text.format(count=count)
