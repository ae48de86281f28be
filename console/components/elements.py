"""Small elements: icons, buttons, pills, ids, users."""

import zlib
from datetime import datetime
from functools import cache
from typing import Any

from django import template
from lucide.templatetags.lucide import lucide

from applications.lazy_texts import gettext_lazy
from console.components import rendering
from console.components.rendering import Context
from console.templatetags import words

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, size: int = 16) -> str:
    return lucide(name, size=size, aria_hidden="true", **{"class": "icon"})


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
        "attributes": rendering.attributes(attributes),
    }


@register.inclusion_tag("components/pill.html")
def pill(label: object, *, tone: str = "", icon: str = "") -> Context:
    return {"label": label, "tone": tone, "icon": icon}


_STATES = {
    "active": (gettext_lazy("Active"), "", "circle-check"),
    "online": (gettext_lazy("Online"), "success", "circle-dot"),
    "never_connected": (gettext_lazy("Never connected"), "", "circle-dashed"),
    "banned": (gettext_lazy("Banned"), "error", "ban"),
    "deactivated": (gettext_lazy("Deactivated"), "warning", "user-x"),
    "not_registered": (gettext_lazy("Not registered"), "hollow", "circle-question-mark"),
    "lifted": (gettext_lazy("Lifted"), "", "undo-2"),
    "expired": (gettext_lazy("Expired"), "", "clock"),
}


@register.inclusion_tag("components/state.html")
def state(name: str, until: datetime | str | None = "") -> Context:
    """`until` is for bans: a moment, or None for a permanent one."""
    label, tone, icon = _STATES[name]
    return {"label": label, "tone": tone, "icon": icon, "until": until, "permanent": until is None}


@register.inclusion_tag("components/copyable.html")
def copyable(
    value: str, label: str = gettext_lazy("id"), href: str = "", *, panel: bool = False
) -> Context:
    """`panel` opens `href` beside the list."""
    return {"value": value, "label": label, "href": href, "panel": panel}


@register.inclusion_tag("components/avatar.html")
def avatar(name: str) -> Context:
    return {"initials": words.initials(name), "shade": zlib.crc32(name.encode()) % 8}


@register.inclusion_tag("components/person.html")
def person(user_id: str, name: str = "", href: str = "", *, panel: bool = False) -> Context:
    return {"user_id": user_id, "name": name, "href": href, "panel": panel}
