"""Controls of a list: pages, filters, tabs, search."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.translation import gettext

from applications.counting import Count
from applications.lazy_texts import gettext_lazy
from console.components.rendering import Context

register = template.Library()


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(
    context: Context,
    page: Any,
    *,
    target: str = "",
    previous: str = gettext_lazy("Newer"),
    next: str = gettext_lazy("Older"),
) -> Context:
    """`page` is a `Page` of `applications.keyset`. Its cursors go into the URL as `cursor`."""
    request = context["request"]

    def url(cursor: str | None) -> str:
        query = request.GET.copy()
        query.pop("cursor", None)
        if cursor:
            query["cursor"] = cursor
        return f"{request.path}?{query.urlencode()}"

    links = [
        {"url": url(cursor), "label": label, "rel": rel}
        for cursor, label, rel in (
            (page.previous and "", gettext("First"), "first"),
            (page.previous, previous, "prev"),
            (page.next, next, "next"),
        )
        if cursor is not None
    ]
    return {"links": links, "target": target}


@register.inclusion_tag("components/chips.html")
def chips(filters: Iterable[object], *, clear: str = "") -> Context:
    """`filters` have `label`, `value` and `url`, the page without this filter."""
    return {"filters": filters, "clear": clear}


@register.inclusion_tag("components/tab.html")
def tab(
    label: str, *, href: str, current: bool = False, count: int | Count | None = None
) -> Context:
    return {"label": label, "href": href, "current": current, "count": count}


@register.inclusion_tag("components/search.html", takes_context=True)
def search(
    context: Context, *, label: str, name: str = "q", placeholder: str = "", target: str = ""
) -> Context:
    """Searches while the user types, and replaces `target`. Keeps the other filters and goes back
    to the first page.
    """
    request = context["request"]
    kept = [
        (key, value)
        for key, values in request.GET.lists()
        if key not in (name, "cursor")
        for value in values
    ]
    return {
        "label": label,
        "name": name,
        "value": request.GET.get(name, ""),
        "placeholder": placeholder,
        "target": target,
        "action": request.path,
        "kept": kept,
    }
