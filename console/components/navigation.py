"""Navigation: links to pages, the menu, the switch between the two environments."""

from typing import Any

from django import template
from django.urls import reverse

from console import links
from console.components.rendering import Context

register = template.Library()

# The noun (the URL namespace of its pages), label, icon, and the kinds of environment that have it.
_BOTH = ("development", "production")
_MENU = (
    ("environment", "Environment", "gauge", _BOTH),
    ("why", "Why?", "message-circle-question-mark", _BOTH),
    ("users", "Users", "users", _BOTH),
    ("connections", "Connections", "plug-zap", _BOTH),
    ("quota", "Quota", "ticket", ("development",)),
    ("bans", "Bans", "ban", _BOTH),
    ("mutes", "Mutes", "volume-x", _BOTH),
    ("deactivated", "Deactivated", "user-x", _BOTH),
    ("lists", "Lists", "list-checks", _BOTH),
    ("try_it", "Try it", "messages-square", ("development",)),
    ("keys", "Keys", "key-round", _BOTH),
    ("requests", "Requests", "arrow-left-right", _BOTH),
    ("webhooks", "Webhooks", "webhook", _BOTH),
    ("members", "Members", "users-round", _BOTH),
    ("audit", "Audit", "scroll-text", _BOTH),
    ("settings", "Settings", "settings", _BOTH),
)


@register.simple_tag(takes_context=True)
def page_url(context: Context, name: str, *rest: Any, environment: Any = None) -> str:
    """`{% page_url "users:detail" user_id %}`: the URL of a page of the context's environment, or
    of `environment`.
    """
    return links.page_url(environment or context["environment"], name, *rest)


@register.inclusion_tag("components/navigation.html", takes_context=True)
def navigation(context: Context) -> Context:
    environment, current = context["environment"], context["noun"]
    overview: Context = {
        "label": "Overview",
        "icon": "layout-grid",
        "url": reverse("overview:index"),
    }
    pages = [{**entry, "current": entry["noun"] == current} for entry in entries(environment)]
    here = next((page for page in pages if page["current"]), None)
    return {"links": [overview, *pages], "here": here}


def entries(environment: Any) -> list[Context]:
    """The pages of the menu that this environment has."""
    return [
        {
            "noun": noun,
            "label": label,
            "icon": icon,
            "url": links.page_url(environment, f"{noun}:index"),
        }
        for noun, label, icon, kinds in _MENU
        if environment.kind in kinds
    ]


@register.inclusion_tag("components/environment_switch.html", takes_context=True)
def environment_switch(context: Context) -> Context:
    """Both environments of the application. The other one opens on the same page if it has it."""
    environment, current = context["environment"], context["noun"]
    kinds_with_page = next((kinds for noun, _, _, kinds in _MENU if noun == current), ())
    choices = [
        {
            "kind": kind,
            "current": kind == environment.kind,
            "url": links.page_url(
                environment,
                f"{current if kind in kinds_with_page else 'environment'}:index",
                kind=kind,
            ),
        }
        for kind in _BOTH
    ]
    return {"application": environment.application, "choices": choices}


@register.inclusion_tag("components/environment_badge.html")
def environment_badge(kind: str) -> Context:
    return {"kind": kind}
