"""Figures: stats, meters, charts and progress bars."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django import template
from django.utils import formats
from django.utils.translation import gettext

from applications.counting import Count
from applications.lazy_texts import gettext_lazy
from console.components.rendering import Context
from console.templatetags import words

register = template.Library()


@register.inclusion_tag("components/stat.html")
def stat(
    label: str, value: object, *, note: str = "", href: str = "", tone: str = "", icon: str = ""
) -> Context:
    return {
        "label": label,
        "value": words.estimate(value) if isinstance(value, int | Count) else value,
        "note": note,
        "href": href,
        "tone": tone,
        "icon": icon,
    }


@register.inclusion_tag("components/quota_meter.html")
def quota_meter(
    users: int | Count, limit: int | None, *, full_in: timedelta | None = None
) -> Context:
    if limit is None:
        return {
            "text": gettext("{number} registered, no limit").format(number=words.estimate(users))
        }
    used = users.value if isinstance(users, Count) else users
    free = max(0, limit - used)
    texts = [
        gettext("{used} of {limit:,}").format(used=words.estimate(users), limit=limit),
        gettext("{free:,} free").format(free=free) if free else gettext("full"),
    ]
    if free and full_in is not None:
        texts.append(
            gettext("full in about {duration}").format(duration=words.duration(full_in, parts=1))
        )
    percent = min(100, used * 100 // limit)
    levels = ((100, "full"), (95, "high"), (80, "warn"), (0, "calm"))
    return {
        "text": gettext(", ").join(texts),
        "used": min(used, limit),
        "limit": limit,
        "percent": percent,
        "level": next(level for bound, level in levels if percent >= bound),
    }


@register.inclusion_tag("components/bar_chart.html")
def bar_chart(
    points: Iterable[tuple[date | str, int]],
    *,
    label: str,
    unit: str,
    adds_up: bool = True,
    headline: int | Count | None = None,
    note: str = "",
    href: str = "",
    none: str = gettext_lazy("Nothing yet."),
) -> Context:
    """`adds_up`: whether the sum of all bars means something; otherwise the last one is shown.
    `headline` is a large figure above the bars, in place of the sum, with a `note` and a page
    (`href`) that shows what it counts. `none` is what stands in place of no bars.
    """
    points = list(points)
    top = max((value for _, value in points), default=0)
    bars = [
        {
            "label": formats.date_format(at, "MONTH_DAY_FORMAT") if isinstance(at, date) else at,
            "value": value,
            "x": index * 10 + 1,
            "y": 100 - height,
            "height": height,
        }
        for index, (at, value) in enumerate(points)
        for height in [max(1, round(value * 100 / top)) if top else 1]
    ]
    return {
        "bars": bars,
        "width": len(bars) * 10,
        "top": top,
        "total": sum(value for _, value in points),
        "last": points[-1][1] if points else 0,
        "label": label,
        "unit": unit,
        "adds_up": adds_up,
        "headline": headline,
        "note": note,
        "href": href,
        "none": none,
    }


@register.inclusion_tag("components/level_chart.html")
def level_chart(
    points: Sequence[tuple[date, int]],
    *,
    limit: int,
    label: str,
    unit: str,
    full_in_days: int | None = None,
) -> Context:
    """A level by day under its limit; with `full_in_days`, a dashed line to where it will be full,
    as far as it fits.
    """
    days = len(points)
    ahead = min(full_in_days or 0, days // 2)
    top = max([limit, *(value for _, value in points)])
    last = points[-1][1]

    def y(value: float) -> float:
        return round(100 - 96 * value / top, 1)

    line = " ".join(f"{index * 10},{y(value)}" for index, (_, value) in enumerate(points))
    end = (days - 1) * 10
    reached = last + (limit - last) * ahead / full_in_days if full_in_days else last
    return {
        "points": points,
        "line": line,
        "area": f"0,100 {line} {end},100",
        "forecast": f"{end},{y(last)} {end + ahead * 10},{y(reached)}" if ahead else "",
        "width": end + ahead * 10,
        "limit": limit,
        "limit_y": y(limit),
        "last": last,
        "ahead": ahead,
        "label": label,
        "unit": unit,
    }


@register.inclusion_tag("components/breakdown.html")
def breakdown(groups: Sequence[Any], *, label: str) -> Context:
    """`groups` have `label`, `count`, `url` (of the page that shows only this group) and
    `current`.
    """
    top = max((group["count"] for group in groups), default=0) or 1
    rows = [{**group, "percent": round(group["count"] * 100 / top)} for group in groups]
    return {"rows": rows, "label": label}


@register.inclusion_tag("components/sparkline.html")
def sparkline(values: Sequence[int], *, label: str) -> Context:
    top = max(values, default=0) or 1
    return {
        "points": " ".join(f"{i},{round(20 - v * 18 / top, 1)}" for i, v in enumerate(values)),
        "width": max(1, len(values) - 1),
        "label": label,
    }


@register.inclusion_tag("components/progress.html")
def progress(
    done: int, total: int, *, label: str, results: Iterable[tuple[str, int, str]] = ()
) -> Context:
    """`results` are (word, count, tone), such as ("deleted", 12, "success")."""
    return {"done": done, "total": total, "label": label, "results": results}
