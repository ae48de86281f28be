"""URLs of an environment's pages, of the page a request came from, and of the gateway."""

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
    """The URL of the environment's page `name`, or with `kind` that of its sibling environment.

    `query` may hold lists. Empty values are left out.
    """
    pairs = query.items() if isinstance(query, Mapping) else query
    given = urlencode([(key, value) for key, value in pairs if value], doseq=True)
    path = reverse(name, args=[environment.application.org_name, kind or environment.kind, *rest])
    return f"{path}?{given}" if given else path


def came_from(request: HttpRequest, otherwise: str) -> str:
    """The console page whose button was pressed, from the Referer header. Without JavaScript, the
    user returns there.
    """
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if ours else otherwise


def gateway_url(request: HttpRequest) -> str:
    """The URL at which clients open their WebSocket: `GATEWAY_URL`, or this host if that is not
    set, because the demo serves both on one port.
    """
    if settings.GATEWAY_URL:
        return str(settings.GATEWAY_URL)
    return request.build_absolute_uri(settings.GATEWAY_PATH).replace("http", "ws", 1)
