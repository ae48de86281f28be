"""Where somebody is: navigation and environments."""

from django import template
from django.urls import reverse

from console.components.drawing import Context

register = template.Library()


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
