"""Each request to a page: its id, its line in the log, and how long it took. Calls of the Server
API have their own (`api.doors`).
"""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from applications import metrics, tracing
from applications.requests import own_request_id

log = logging.getLogger(__name__)


class PageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started, trace = time.perf_counter(), tracing.begin(own_request_id(request))
        try:
            response = self.get_response(request)
            if hasattr(request, "call"):  # it was answered by the Server API's door
                return response
            seconds = time.perf_counter() - started
            metrics.PAGES.labels(response.status_code).observe(seconds)
            if log.isEnabledFor(logging.INFO):
                tracing.resume(trace)
                log.info("page", extra={"facts": _facts(request, response, trace, seconds)})
            return response
        finally:
            tracing.end()


def _facts(
    request: HttpRequest, response: HttpResponse, trace: tracing.Trace, seconds: float
) -> dict[str, object]:
    """The path without its query, which may hold what somebody has searched for."""
    facts: dict[str, object] = {"method": request.method, "path": request.path_info}
    environment = getattr(request, "environment", None)
    if environment is not None:
        facts["application"] = environment.application.org_name
        facts["environment"] = environment.kind
    user = getattr(request, "user", None)
    return facts | {
        "who": user.get_username() if user is not None and user.is_authenticated else "-",
        "status": response.status_code,
        "ms": round(1000 * seconds, 1),
        "queries": trace.queries,
        "request": trace.request_id,
    }
