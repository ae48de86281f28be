"""Vendors' web SDKs on the page "Try it", each in a sandboxed frame.

Invariants
----------
* The SDK is a stranger's script. Its frame has an origin of its own (`sandbox` without
  `allow-same-origin`, in the frame's policy too), so it reads nothing of the console and no cookie.
* The frame loads scripts from this console and from the host that the member named, and connects
  to the gateway and the Server API only: an SDK cannot report anything elsewhere.
"""

import re
from urllib.parse import urlsplit

from csp.constants import SELF, UNSAFE_EVAL
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.models import Environment
from applications.vendors import WebClient, vendors
from console import responses
from console.access import MemberRequest, in_environment
from console.links import gateway_url, page_url

_ADDRESS = re.compile(
    r"https://[A-Za-z0-9.-]+(:\d+)?/[\w./@+~-]+|http://(localhost|127\.0\.0\.1)(:\d+)?/[\w./@+~-]+",
    re.ASCII,
)


def web_clients() -> dict[str, WebClient]:
    """Vendor's name → its web SDK."""
    return {each.name: each.web_client for each in vendors() if each.web_client is not None}


@require_safe
@xframe_options_sameorigin
@in_environment(Permission.VIEW)
def try_it_client(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The page of the frame: `?client=` names the vendor, `?sdk=` the address of the SDK."""
    client = web_clients().get(request.GET.get("client", ""))
    address = request.GET.get("sdk", "")
    if not environment.is_development or client is None or not _ADDRESS.fullmatch(address):
        back = page_url(environment, "try_it:index")
        return responses.refused(
            request, gettext("This is not the address of a web SDK."), back=back
        )
    response = render(request, "console/try_it/client.html", {"client": client})
    own = request.build_absolute_uri("/").rstrip("/")
    sdk, gateway = urlsplit(address), urlsplit(gateway_url(request))
    http = f"{gateway.scheme.replace('ws', 'http', 1)}://{gateway.netloc}"
    response._csp_replace = {  # type: ignore[attr-defined]
        # The sandbox makes `eval` harmless, and SDKs compile their messages with it.
        "script-src": [own, f"{sdk.scheme}://{sdk.netloc}", UNSAFE_EVAL],
        "connect-src": [own, http, f"{gateway.scheme}://{gateway.netloc}"],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-scripts"],
    }
    return response
