"""The three charts that a production environment leads with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext

from applications.counting import Count
from applications.hourly import Figure
from applications.models import Environment
from console.links import page_url
from console.templatetags import words
from moderation import last_day


@dataclass(frozen=True)
class Chart:
    """The arguments of `{% bar_chart %}`. `points`: the time of an hour, and a number of `unit`."""

    label: str
    unit: str
    points: list[tuple[str, int]]
    headline: int | Count
    note: str
    href: str
    adds_up: bool = True


def charts(*, environment: Environment, online: Count, now: datetime) -> Iterator[Chart]:
    """`online`: how many users are online now."""
    day = last_day.read(environment=environment, online_now=online.value, now=now)
    most = max((number for _, number in day.online), default=0)
    yield Chart(
        gettext("Online now"),
        gettext("users at once"),
        _points(day.online),
        headline=online,
        note=gettext("at most {number} at once").format(number=words.estimate(most)),
        href=page_url(environment, "users:index", query={"tab": "online"}),
        adds_up=False,
    )
    refusals = [_counted(figure, number) for figure, number in day.refusals.items() if number]
    yield Chart(
        gettext("Refused"),
        gettext("refusals"),
        _points(day.refused),
        headline=sum(day.refusals.values()),
        note=gettext(", ").join(refusals) or gettext("connections, messages, API calls"),
        href=page_url(environment, "requests:index", query={"state": "refused"}),
    )
    banned = sum(number for _, number in day.banned)
    yield Chart(
        gettext("New bans"),
        gettext("bans"),
        _points(day.banned),
        headline=banned,
        note=gettext("by staff and app servers"),
        href=page_url(environment, "bans:index", query={"tab": "all"}),
    )


def _counted(figure: Figure, number: int) -> str:
    shown = words.estimate(number)
    match figure:
        case Figure.CONNECTIONS_REFUSED:
            text = ngettext("{number} connection", "{number} connections", number)
        case Figure.MESSAGES_REFUSED:
            text = ngettext("{number} message", "{number} messages", number)
        case _:
            text = ngettext("{number} API call", "{number} API calls", number)
    return text.format(number=shown)


def _points(hours: Iterable[tuple[datetime, int]]) -> list[tuple[str, int]]:
    return [(f"{hour:%H:%M} UTC", number) for hour, number in hours]
