"""Where a page of an environment lies, which page a button was on, and where clients connect."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from applications.models import Environment


def page_url(
    environment: Environment, name: str, *rest: Any, query: Any = (), kind: str = ""
) -> str:
    """Where the page `name` of the environment lies, or with `kind` that of its sibling.

    `query` may hold lists; what is empty is left out.
    """
    pairs = query.items() if isinstance(query, Mapping) else query
    given = urlencode([(key, value) for key, value in pairs if value], doseq=True)
    path = reverse(name, args=[environment.application.org_name, kind or environment.kind, *rest])
    return f"{path}?{given}" if given else path


def came_from(request: HttpRequest, otherwise: str) -> str:
    """The page of ours whose button was pressed; without JavaScript, people return there."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if ours else otherwise


def gateway_url(request: HttpRequest) -> str:
    """Where clients open their WebSocket: `GATEWAY_URL`. Where that is not set it is this host, for
    the demo serves both on one port.
    """
    if settings.GATEWAY_URL:
        return str(settings.GATEWAY_URL)
    return request.build_absolute_uri(settings.GATEWAY_PATH).replace("http", "ws", 1)
