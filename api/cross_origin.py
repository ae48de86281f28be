"""CORS (Fetch standard), for vendors whose web SDKs call the API from pages of other origins.

Invariants
----------
* Any origin may read every response, refusals included: otherwise a page cannot tell a refusal
  from a network error. This is safe because no call is authenticated by cookies.
* A preflight request is answered before any check, because it carries no token and must not fail.
"""

from django.http import HttpRequest

from api.answers import Answer

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
    """True for every OPTIONS request: no vendor has a call with that method."""
    return request.method == "OPTIONS"


def preflight() -> Answer:
    """The answer to the request that a browser sends before the call itself."""
    return Answer(b"", status=204, headers=_PREFLIGHT)


def let_be_read(answer: Answer) -> None:
    """Adds the headers that let pages of any origin read the answer."""
    answer.headers.update(_ANSWER)
