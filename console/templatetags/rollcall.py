"""The console's components. Each tag draws `templates/components/<its name>.html`.

They are tags and not plain includes, so a misspelt argument is an error and nothing of the page's
own context leaks in. `templates/components/README.md` shows how to use each one.
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, Form
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from applications.counting import Count
from console.templatetags import words

register = template.Library()
register.filter(words.duration)
register.filter(words.estimate)
register.filter(words.actor)

Context = dict[str, Any]


def _draw(component: str, **context: Any) -> SafeString:
    return render_to_string(f"components/{component}.html", context)


def _attributes(given: dict[str, Any]) -> SafeString:
    """`hx_get="/x"` becomes ` hx-get="/x"`; True is written without a value, None is left out."""
    return flatatt({name.replace("_", "-"): value for name, value in given.items()})


# --- Words and times -----------------------------------------------------------------------------
@register.simple_tag
@cache
def icon(name: str, size: int = 16) -> str:
    return lucide(name, size=size, aria_hidden="true", **{"class": "icon"})


@register.simple_tag
def relative_time(moment: datetime | None, none: str = "never") -> str:
    if moment is None:
        return none
    moment = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(),
        words.exact(moment),
        words.relative(moment, timezone.now()),
    )


@register.simple_tag
def exact_time(moment: datetime | None, none: str = "never") -> str:
    if moment is None:
        return none
    moment = moment.astimezone(UTC)
    said = words.exact(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-exact>{}</time>', moment.isoformat(), said, said
    )


@register.simple_tag
def countdown(until: datetime, over: str = "over") -> str:
    until = until.astimezone(UTC)
    now = timezone.now()
    return format_html(
        '<time datetime="{}" title="{}" data-countdown data-over="{}">{}</time>',
        until.isoformat(),
        words.exact(until),
        over,
        words.duration(until - now) if until > now else over,
    )


# --- Where am I ----------------------------------------------------------------------------------
# URL name, label, icon, the kinds of environment that have the page.
_BOTH = ("development", "production")
_PAGES = (
    ("environment", "Environment", "gauge", _BOTH),
    ("user_list", "Users", "users", _BOTH),
    ("connection_list", "Connections", "plug-zap", _BOTH),
    ("quota", "Quota", "ticket", ("development",)),
    ("ban_list", "Bans", "ban", _BOTH),
    ("deactivated_list", "Deactivated", "user-x", _BOTH),
    ("list_browse", "Lists", "list-checks", _BOTH),
    ("try_it", "Try it", "messages-square", ("development",)),
    ("keys", "Keys", "key-round", _BOTH),
    ("webhook_list", "Webhooks", "webhook", _BOTH),
    ("member_list", "Members", "users-round", _BOTH),
    ("audit_log", "Audit", "scroll-text", _BOTH),
    ("settings", "Settings", "settings", _BOTH),
)


@register.inclusion_tag("components/navigation.html", takes_context=True)
def navigation(context: Context) -> Context:
    environment, page = context["environment"], context.get("page")
    place = (environment.application.org_name, environment.kind)
    overview: Context = {"label": "Overview", "icon": "layout-grid", "url": reverse("overview")}
    links = [overview] + [
        {"label": label, "icon": icon, "url": reverse(name, args=place), "current": name == page}
        for name, label, icon, kinds in _PAGES
        if environment.kind in kinds
    ]
    return {"links": links, "here": next((link for link in links if link.get("current")), None)}


@register.inclusion_tag("components/environment_switch.html", takes_context=True)
def environment_switch(context: Context) -> Context:
    """Both environments of the application; the other one opens on the same page if it has it."""
    environment, page = context["environment"], context.get("page")
    choices = [
        {
            "kind": kind,
            "current": kind == environment.kind,
            "url": reverse(
                page
                if any(page == name and kind in kinds for name, _, _, kinds in _PAGES)
                else "environment",
                args=(environment.application.org_name, kind),
            ),
        }
        for kind in _BOTH
    ]
    return {"application": environment.application, "choices": choices}


@register.inclusion_tag("components/environment_badge.html")
def environment_badge(kind: str) -> Context:
    return {"kind": kind}


# --- Small things --------------------------------------------------------------------------------
@register.inclusion_tag("components/button.html")
def button(
    label: str,
    *,
    kind: str = "",
    icon: str = "",
    icon_only: bool = False,
    href: str = "",
    dialog: str = "",
    type: str = "submit",
    allowed: bool = True,
    reason: str = "",
    **attributes: Any,
) -> Context:
    return {
        "label": label,
        "kind": kind,
        "icon": icon,
        "icon_only": icon_only,
        "href": href or dialog,
        "dialog": dialog,
        "type": type,
        "allowed": allowed,
        "reason": reason,
        "attributes": _attributes(attributes),
    }


@register.inclusion_tag("components/pill.html")
def pill(label: object, *, tone: str = "", icon: str = "") -> Context:
    return {"label": label, "tone": tone, "icon": icon}


_STATES = {
    "active": ("Active", "", "circle-check"),
    "online": ("Online", "success", "circle-dot"),
    "never_connected": ("Never connected", "", "circle-dashed"),
    "banned": ("Banned", "error", "ban"),
    "deactivated": ("Deactivated", "warning", "user-x"),
    "not_registered": ("Not registered", "hollow", "circle-question-mark"),
    "lifted": ("Lifted", "", "undo-2"),
    "expired": ("Expired", "", "clock"),
}


@register.inclusion_tag("components/state.html")
def state(name: str, until: datetime | str | None = "") -> Context:
    """`until` is for bans: a moment, or None for a permanent one."""
    label, tone, icon = _STATES[name]
    return {"label": label, "tone": tone, "icon": icon, "until": until, "permanent": until is None}


@register.inclusion_tag("components/copyable.html")
def copyable(value: str, label: str = "id", href: str = "") -> Context:
    return {"value": value, "label": label, "href": href}


@register.inclusion_tag("components/avatar.html")
def avatar(name: str) -> Context:
    return {"initials": words.initials(name), "shade": zlib.crc32(name.encode()) % 8}


@register.inclusion_tag("components/person.html")
def person(user_id: str, name: str = "", href: str = "") -> Context:
    return {"user_id": user_id, "name": name, "href": href}


# --- Figures -------------------------------------------------------------------------------------
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
def quota_meter(used: int, limit: int | None, *, full_in: timedelta | None = None) -> Context:
    if limit is None:
        return {"text": f"{words.estimate(used)} registered, no limit"}
    free = max(0, limit - used)
    said = [f"{used:,} of {limit:,}", f"{free:,} free" if free else "full"]
    if free and full_in is not None:
        said.append(f"full in about {words.duration(full_in, parts=1)}")
    percent = min(100, used * 100 // limit)
    levels = ((100, "full"), (95, "high"), (80, "warn"), (0, "calm"))
    return {
        "text": ", ".join(said),
        "used": min(used, limit),
        "limit": limit,
        "percent": percent,
        "level": next(level for bound, level in levels if percent >= bound),
    }


@register.inclusion_tag("components/bar_chart.html")
def bar_chart(points: Iterable[tuple[date | str, int]], *, label: str, unit: str) -> Context:
    points = list(points)
    top = max((value for _, value in points), default=0)
    bars = [
        {
            "label": f"{at.day} {at:%b}" if isinstance(at, date) else at,
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
        "label": label,
        "unit": unit,
    }


@register.inclusion_tag("components/breakdown.html")
def breakdown(groups: Sequence[Any], *, label: str) -> Context:
    """`groups` have `label`, `count`, `url` (where only they are shown) and `current`."""
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


# --- Lists ---------------------------------------------------------------------------------------
@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(
    context: Context,
    page: Any,
    *,
    target: str = "",
    previous: str = "Newer",
    next: str = "Older",
) -> Context:
    """`page` is a `Page` of `applications.keyset`: its cursors go into the address as `cursor`."""
    request = context["request"]

    def address(cursor: str | None) -> str:
        query = request.GET.copy()
        query.pop("cursor", None)
        if cursor:
            query["cursor"] = cursor
        return f"{request.path}?{query.urlencode()}"

    links = [
        {"url": address(cursor), "label": label, "rel": rel}
        for cursor, label, rel in (
            (page.previous and "", "First", "first"),
            (page.previous, previous, "prev"),
            (page.next, next, "next"),
        )
        if cursor is not None
    ]
    return {"links": links, "target": target}


@register.inclusion_tag("components/chips.html")
def chips(filters: Iterable[object], *, clear: str = "") -> Context:
    """`filters` have `label`, `value` and `url`, the address without this filter."""
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
    """Searches as one types into `target`; keeps the other filters, leaves the keyset page."""
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


# --- Forms ---------------------------------------------------------------------------------------
@register.inclusion_tag("components/field.html")
def field(field: BoundField, *, label: str = "", chips: bool = False) -> Context:
    return {
        "field": field,
        "label": label or field.label,
        "checkbox": isinstance(field.field.widget, CheckboxInput),
        "chips": chips,
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Form) -> Context:
    return {"errors": form.non_field_errors()}


@register.inclusion_tag("components/confirm_field.html")
def confirm_field(phrase: str, *, name: str = "confirm", error: str = "") -> Context:
    return {"phrase": phrase, "name": name, "error": error}


# --- Blocks: what stands between the tag and its end is drawn inside -----------------------------
@register.simple_block_tag
def card(content: str, title: str = "") -> str:
    return _draw("card", content=content, title=title)


@register.simple_block_tag
def table(content: str, label: str) -> str:
    return _draw("table", content=content, label=label)


@register.simple_block_tag
def tabs(content: str, label: str) -> str:
    return _draw("tabs", content=content, label=label)


@register.simple_block_tag
def selection_bar(content: str, noun: str = "user") -> str:
    return _draw("selection_bar", content=content, noun=noun)


@register.simple_block_tag
def empty_state(content: str, title: str, icon: str = "inbox") -> str:
    return _draw("empty_state", content=content, title=title, icon=icon)


@register.simple_block_tag
def callout(content: str, tone: str = "info", title: str = "") -> str:
    icons = {
        "info": "info",
        "success": "circle-check",
        "warning": "triangle-alert",
        "error": "circle-alert",
    }
    return _draw("callout", content=content, tone=tone, title=title, icon=icons[tone])


@register.simple_block_tag
def dialog(content: str, title: str) -> str:
    return _draw("dialog", content=content, title=title)


@register.simple_block_tag(takes_context=True)
def confirm_form(
    context: Context,
    content: str,
    *,
    action: str,
    phrase: str,
    submit: str,
    cancel: str,
    error: str = "",
    target: str = "",
) -> str:
    return _draw(
        "confirm_form",
        content=content,
        action=action,
        phrase=phrase,
        submit=submit,
        cancel=cancel,
        error=error,
        target=target,
        csrf_token=context["csrf_token"],
    )


@register.simple_block_tag
def code(content: str, label: str) -> str:
    return _draw("code", content=SafeString(content.strip()), label=label)


@register.simple_block_tag
def fact(content: str, label: str) -> str:
    return _draw("fact", content=content, label=label)


@register.simple_block_tag
def timeline_item(
    content: str,
    at: datetime,
    title: str,
    by: str = "",
    icon: str = "circle",
    tone: str = "",
) -> str:
    return _draw("timeline_item", content=content, at=at, title=title, by=by, icon=icon, tone=tone)


@register.simple_block_tag
def menu(content: str, label: str, icon: str = "") -> str:
    return _draw("menu", content=content, label=label, icon=icon)


@register.inclusion_tag("components/lazy.html")
def lazy(url: str, *, label: str, again_on: str = "") -> Context:
    """A fragment that loads itself into this place, and again on the named event of the page."""
    trigger = f"load, {again_on} from:body" if again_on else "load"
    return {"url": url, "label": label, "trigger": trigger}
