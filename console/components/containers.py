"""Block tags: they render the content between the opening and the closing tag."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from console.components.rendering import Context, render

register = template.Library()


@register.simple_block_tag
def card(content: str, title: str = "") -> str:
    return render("card", content=content, title=title)


@register.simple_block_tag
def table(content: str, label: str) -> str:
    return render("table", content=content, label=label)


@register.simple_block_tag
def tabs(content: str, label: str) -> str:
    return render("tabs", content=content, label=label)


@register.simple_block_tag
def selection_bar(content: str, noun: str = "user") -> str:
    return render("selection_bar", content=content, noun=noun)


@register.simple_block_tag
def empty_state(content: str, title: str, icon: str = "inbox") -> str:
    return render("empty_state", content=content, title=title, icon=icon)


@register.simple_block_tag
def callout(content: str, tone: str = "info", title: str = "") -> str:
    icons = {
        "info": "info",
        "success": "circle-check",
        "warning": "triangle-alert",
        "error": "circle-alert",
    }
    return render("callout", content=content, tone=tone, title=title, icon=icons[tone])


@register.simple_block_tag
def dialog(content: str, title: str) -> str:
    return render("dialog", content=content, title=title)


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
    return render(
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
    return render("code", content=SafeString(content.strip()), label=label)


@register.simple_block_tag
def fact(content: str, label: str) -> str:
    return render("fact", content=content, label=label)


@register.simple_block_tag
def timeline_item(
    content: str,
    at: datetime,
    title: str,
    by: str = "",
    icon: str = "circle",
    tone: str = "",
) -> str:
    return render("timeline_item", content=content, at=at, title=title, by=by, icon=icon, tone=tone)


@register.simple_block_tag
def menu(content: str, label: str, icon: str = "") -> str:
    return render("menu", content=content, label=label, icon=icon)


@register.inclusion_tag("components/lazy.html")
def lazy(url: str, *, label: str, again_on: str = "") -> Context:
    """A fragment that loads itself, and loads again on the event `again_on` of the page."""
    trigger = f"load, {again_on} from:body" if again_on else "load"
    return {"url": url, "label": label, "trigger": trigger}
