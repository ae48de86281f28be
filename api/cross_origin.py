"""Calls from web pages of another origin (CORS, in the Fetch standard), for vendors whose web SDKs
make them.

Invariants
----------
* Every answer may be read by any origin, refusals included: without that a page cannot tell a
  refusal from a broken network. No call goes by cookies, so that no origin gains by it.
* A preflight is answered before anything is looked at: it carries no token, and must not fail.
"""

from django.http import HttpRequest, HttpResponse

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
    "Access-Control-Max-Age": "86400",
}
_ANSWER = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
}


def is_preflight(request: HttpRequest) -> bool:
    """No vendor has a call that is made by OPTIONS."""
    return request.method == "OPTIONS"


def preflight() -> HttpResponse:
    """What a browser asks before the call itself."""
    response = HttpResponse(status=204, headers=_PREFLIGHT)
    del response["Content-Type"]
    return response


def let_be_read(response: HttpResponse) -> None:
    """By pages of any origin."""
    for header, value in _ANSWER.items():
        response[header] = value
