"""Sample calls of the Server API, from each vendor's folder."""

from typing import Any

from django import template

from applications.vendors import Act, Occasion, vendors
from console import api_calls as calls
from console.components.rendering import Context

register = template.Library()


@register.inclusion_tag("components/vendor_calls.html", takes_context=True)
def vendor_calls(context: Context, occasion: str, *, secret: str = "", **about: Any) -> Context:
    """`about`: the subject of the call, such as `user_id`. `secret` is known only on the page that
    shows a new secret.
    """
    request, environment = context["request"], context["environment"]
    return {
        "environment": environment,
        "host": request.build_absolute_uri("/").rstrip("/"),
        "secret": secret or "your-app-secret",
        **about,
        "snippets": [
            snippet
            for vendor in vendors()
            if vendor.name in environment.application.vendors
            for snippet in vendor.snippets.get(Occasion(occasion), ())
        ],
    }


@register.inclusion_tag("components/api_calls.html", takes_context=True)
def api_calls(context: Context, act: str, **takes: Any) -> Context:
    """`takes`: what the act takes, see `Act`."""
    host = context["request"].build_absolute_uri("/").rstrip("/")
    samples = calls.samples(context["environment"], Act(act), host=host, takes=takes)
    return {"samples": samples}
