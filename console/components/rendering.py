"""Rendering that the components share."""

from typing import Any

from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

Context = dict[str, Any]


def render(component: str, **context: Any) -> SafeString:
    return render_to_string(f"components/{component}.html", context)


def attributes(values: dict[str, Any]) -> SafeString:
    """`hx_get="/x"` becomes ` hx-get="/x"`. True gives an attribute without a value; None is
    left out.
    """
    return flatatt({name.replace("_", "-"): value for name, value in values.items()})
