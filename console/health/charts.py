"""Charts of the last hour, from samples (`moderation.figure_history`)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext
from prometheus_client import Metric

from moderation.figure_history import Sample

Points = list[tuple[str, int]]


@dataclass(frozen=True)
class Chart:
    """`points`: the time of a minute, and a whole number of `unit`. `adds_up`: whether their sum
    means something.
    """

    label: str
    unit: str
    points: Points
    adds_up: bool = False


@dataclass(frozen=True)
class Group:
    heading: str
    charts: Sequence[Chart]


def groups(samples: Sequence[Sample]) -> list[Group]:
    def counted(label: str, name: str, unit: str) -> Chart:
        points = _each(samples, lambda a, b: _more(a.counts, b.counts, name))
        return Chart(label, unit, points, adds_up=True)

    def level(label: str, name: str, unit: str) -> Chart:
        points = [(_time(each), round(each.levels.get(name, 0))) for each in samples]
        return Chart(label, unit, points)

    def slow(label: str, name: str) -> Chart:
        def within(a: Sample, b: Sample) -> float:
            return 1_000 * most(a.buckets.get(name, {}), b.buckets.get(name, {}))

        return Chart(label, "ms", _each(samples, within))

    return [
        Group(
            gettext("Server API"),
            [
                counted(gettext("Calls"), "calls", gettext("calls")),
                slow(gettext("95 of 100 calls within"), "calls"),
                counted(gettext("Failed here (5xx)"), "failed", gettext("calls")),
                counted(gettext("Quota full"), "quota", gettext("registrations refused")),
            ],
        ),
        Group(
            gettext("Gateway"),
            [
                level(gettext("Open connections"), "connections", gettext("connections")),
                counted(gettext("Kicked"), "kicks", gettext("connections")),
                slow(gettext("95 of 100 kicks within"), "kicks"),
                counted(
                    gettext("Messages dropped"), "dropped", gettext("messages between processes")
                ),
            ],
        ),
        Group(
            gettext("Background work"),
            [
                level(gettext("Tasks in the queue"), "queue", gettext("tasks")),
                level(gettext("Oldest task waits"), "queue_oldest", gettext("s")),
                level(gettext("Ban sweep late by"), "bans_late", gettext("s")),
                level(gettext("Erasure late by"), "erasure_late", gettext("s")),
            ],
        ),
        Group(
            gettext("Webhooks"),
            [
                counted(gettext("Delivered"), "delivered", gettext("deliveries")),
                counted(gettext("Failed attempts"), "undelivered", gettext("attempts")),
                slow(gettext("95 of 100 within"), "lag"),
                level(gettext("Oldest delivery waits"), "webhooks_oldest", gettext("s")),
            ],
        ),
        Group(
            gettext("Database"),
            [
                slow(gettext("95 of 100 gateway queries begin within"), "database"),
                level(gettext("Sessions that wait for a lock"), "lock_waits", gettext("sessions")),
            ],
        ),
    ]


def _each(samples: Sequence[Sample], figure: Callable[[Sample, Sample], float]) -> Points:
    return [(_time(b), round(figure(a, b))) for a, b in pairwise(samples)]


def _time(sample: Sample) -> str:
    return f"{sample.moment:%H:%M} UTC"


def _more(before: dict[str, float], after: dict[str, float], name: str) -> float:
    """How much a count has grown; processes that started anew count from zero."""
    old, new = before.get(name, 0), after.get(name, 0)
    return new - old if new >= old else new


def most(before: dict[str, float], after: dict[str, float], share: float = 0.95) -> float:
    """The bound in seconds up to which this share of what came between the two lies; 0 if nothing
    came. What is beyond the last bound counts as twice that bound.
    """
    bounds = sorted((float(bound), bound) for bound in after)
    grown = [(bound, _more(before, after, text)) for bound, text in bounds]
    total = grown[-1][1] if grown else 0
    if not total:
        return 0
    bound = next(bound for bound, number in grown if number >= share * total)
    return bound if bound != float("inf") else 2 * grown[-2][0]


@dataclass(frozen=True)
class Calls:
    """All calls of one name, since the processes of this machine started. `most`: milliseconds."""

    vendor: str
    name: str
    number: int
    refused: int
    failed: int
    most: int


def calls(found: Iterable[Metric]) -> list[Calls]:
    """The most frequent first."""
    counts: dict[tuple[str, str], dict[str, float]] = {}
    buckets: dict[tuple[str, str], dict[str, float]] = {}
    for metric in found:
        if metric.name != "rollcall_api_call_seconds":
            continue
        for each in metric.samples:
            key = each.labels["vendor"], each.labels["call"]
            if each.name.endswith("_count"):
                by_status = counts.setdefault(key, {})
                first = each.labels["status"][0]
                by_status[first] = by_status.get(first, 0) + each.value
            elif each.name.endswith("_bucket"):
                bounds = buckets.setdefault(key, {})
                bound = each.labels["le"]
                bounds[bound] = bounds.get(bound, 0) + each.value
    rows = [
        Calls(
            *key,
            number=round(sum(by_status.values())),
            refused=round(by_status.get("4", 0)),
            failed=round(by_status.get("5", 0)),
            most=round(1_000 * most({}, buckets.get(key, {}))),
        )
        for key, by_status in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.number, row.vendor, row.name))
