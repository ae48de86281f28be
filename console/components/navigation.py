"""Navigation: links to pages, the menu, the switch between the two environments."""

from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy

from applications.models import Environment
from applications.vendors import vendors
from console import links
from console.components.rendering import Context

register = template.Library()

# Heading → the noun (the URL namespace of its pages), label, icon, and the kinds of environment
# that have it. Grouped by what one came for.
_BOTH = ("development", "production")
_MENU = {
    "": (
        ("environment", gettext_lazy("Environment"), "gauge", _BOTH),
        ("why", gettext_lazy("Why?"), "message-circle-question-mark", _BOTH),
    ),
    gettext_lazy("People"): (
        ("users", gettext_lazy("Users"), "users", _BOTH),
        ("connections", gettext_lazy("Connections"), "plug-zap", _BOTH),
        ("quota", gettext_lazy("Quota"), "ticket", ("development",)),
        ("deactivated", gettext_lazy("Deactivated"), "user-x", _BOTH),
        ("transfers", gettext_lazy("Import, export"), "arrow-down-up", _BOTH),
    ),
    gettext_lazy("Moderation"): (
        ("bans", gettext_lazy("Bans"), "ban", _BOTH),
        ("mutes", gettext_lazy("Mutes"), "volume-x", _BOTH),
        ("lists", gettext_lazy("Lists"), "list-checks", _BOTH),
    ),
    gettext_lazy("Develop"): (
        ("try_it", gettext_lazy("Try it"), "messages-square", ("development",)),
        ("requests", gettext_lazy("Requests"), "arrow-left-right", _BOTH),
        ("api_docs", gettext_lazy("API calls"), "book-open", _BOTH),
        ("keys", gettext_lazy("Keys"), "key-round", _BOTH),
        ("webhooks", gettext_lazy("Webhooks"), "webhook", _BOTH),
    ),
    gettext_lazy("Team"): (
        ("members", gettext_lazy("Members"), "users-round", _BOTH),
        ("audit", gettext_lazy("Audit"), "scroll-text", _BOTH),
        ("settings", gettext_lazy("Settings"), "settings", _BOTH),
    ),
}
_KINDS = {noun: kinds for group in _MENU.values() for noun, _, _, kinds in group}


@register.simple_tag(takes_context=True)
def page_url(context: Context, name: str, *rest: Any, environment: Any = None) -> str:
    """`{% page_url "users:detail" user_id %}`: the URL of a page of the context's environment, or
    of `environment`.
    """
    return links.page_url(environment or context["environment"], name, *rest)


@register.inclusion_tag("components/navigation.html", takes_context=True)
def navigation(context: Context) -> Context:
    current = context["noun"]
    groups = [
        {"heading": heading, "pages": list(pages)}
        for heading, pages in groupby(entries(context["environment"]), key=itemgetter("heading"))
    ]
    pages = [page for group in groups for page in group["pages"]]
    return {
        "overview_url": reverse("overview:index"),
        "groups": groups,
        "current": current,
        "here": next((page for page in pages if page["noun"] == current), None),
    }


def entries(environment: Environment) -> list[Context]:
    """The pages of the menu that this environment has."""
    return [
        {
            "heading": heading,
            "noun": noun,
            "label": label,
            "icon": icon,
            "url": _landing(environment, noun),
        }
        for heading, pages in _MENU.items()
        for noun, label, icon, kinds in pages
        if environment.kind in kinds and (noun != "api_docs" or vendors())
    ]


def _landing(environment: Environment, noun: str) -> str:
    if noun != "api_docs":
        return links.page_url(environment, f"{noun}:index")
    # One page for all environments, with the keys of this one.
    first = vendors()[0].name
    return f"{reverse('api_docs:index', args=[first])}?{urlencode({'of': environment.full_name})}"


@register.inclusion_tag("components/environment_switch.html", takes_context=True)
def environment_switch(context: Context) -> Context:
    """Both environments of the application. The other one opens on the same page if it has it."""
    environment, current = context["environment"], context["noun"]
    kinds_with_page = _KINDS.get(current, ())
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
