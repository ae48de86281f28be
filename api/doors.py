"""The doors of the Server API: which vendor's a request is for, and how it is answered.

Invariants
----------
* The path decides, by its first segments. What no vendor owns stays Django's, unless no page has
  that address and a vendor claims the request: an app server that asks for a module which is not
  served gets that vendor's 404.
* Whatever happens behind a door leaves in that vendor's words: an unknown path, a wrong method, a
  body too large, a lost database, a crash. Never HTML, never a traceback.
* Each 429 says in `Retry-After` after how many seconds another call may pass.
* Sessions, CSRF, CSP and sign-in stand behind this middleware, and never see a call. Under WSGI,
  `api.entry` answers calls before any of Django's middleware.
* Each call leaves one line in the log, and its X-Request-ID in the answer.
* HEAD is answered as GET is, without the body. Every answer says how long it is.
"""

import logging
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import is_valid_path
from django.utils import timezone

from api import cross_origin, leases
from api.answers import Answer
from api.ratelimit import RateExceeded
from api.vendor import Call, Caller, Crashed, DatabaseLost, Request, Vendor, WrongMethod
from applications import metrics, request_log, tracing
from applications.guesses import GuessedTooOften
from applications.outages import is_database_lost
from applications.request_log import Answered, LoggedCall
from applications.requests import cleaned, client_address, new_request_id, request_id
from applications.vendors import vendors

logger = logging.getLogger(__name__)

UNKNOWN = "unknown call"
# Seconds after which to try again where a vendor's 429 means a full quota: no clock frees a place.
PLACES_MAY_BE_FREE = 60


def _seconds_to_wait(error: Exception) -> int:
    if isinstance(error, GuessedTooOften):
        return error.seconds
    return 1 if isinstance(error, RateExceeded) else PLACES_MAY_BE_FREE


class DoorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        segments = segments_of(request)
        if (vendor := owner(segments)) is not None:
            return _response(vendor, segments, request)
        for vendor in _vendors():
            if vendor.claims(request) and not is_valid_path(request.path_info):
                return _response(vendor, segments, request)
        return self.get_response(request)


def _response(vendor: Vendor, segments: Sequence[str], request: HttpRequest) -> HttpResponse:
    response = answer(vendor, segments, cast(Request, request)).as_response()
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django has a line of its own
    return response


def segments_of(request: HttpRequest) -> list[str]:
    """Repeated slashes collapse: one of RongCloud's SDKs sends them."""
    return [segment for segment in request.path_info.split("/") if segment]


def owner(segments: Sequence[str]) -> Vendor | None:
    """Whose path it is, by its segments."""
    return next((vendor for vendor in _vendors() if vendor.owns(segments)), None)


def _vendors() -> tuple[Vendor, ...]:
    return cast(tuple[Vendor, ...], vendors())


def answer(vendor: Vendor, segments: Sequence[str], request: Request) -> Answer:
    started = time.perf_counter()
    is_head = request.method == "HEAD"
    if is_head:
        request.method = "GET"
    request.called, request.is_signed = None, False
    trace = tracing.begin(request_id(request) or new_request_id())
    now, lease = timezone.now(), request.META.get(leases.META_KEY, "")
    request.call = Call(vendor.name, UNKNOWN, trace.request_id, now, lease)
    try:
        answered = _answered(vendor, segments, request)
    except Exception as error:
        answered = vendor.refusal(error) or _failed(vendor, request, error)
        if answered.status == HTTPStatus.TOO_MANY_REQUESTS:
            answered.headers["Retry-After"] = str(_seconds_to_wait(error))
    answered.headers["X-Request-ID"] = trace.request_id
    if vendor.cross_origin:
        cross_origin.let_be_read(answered)
    if answered.status != HTTPStatus.NO_CONTENT:
        answered.headers["Content-Length"] = str(len(answered.content))
    took = time.perf_counter() - started
    metrics.api_call(vendor.name, request.call.name, answered.status).observe(took)
    _note(vendor, request, answered, 1000 * took)
    if logger.isEnabledFor(logging.INFO):
        facts = _facts(vendor, request, answered, 1000 * took, trace)
        logger.info("call", extra={"facts": facts})
    tracing.end()
    if is_head:
        answered.content = b""
    return answered


def _facts(
    vendor: Vendor,
    request: Request,
    answered: Answer,
    milliseconds: float,
    trace: tracing.Trace,
) -> dict[str, object]:
    """For the log. An application is named only if the caller has named a known one."""
    facts: dict[str, object] = {"vendor": vendor.name, "call": request.call.name}
    called = request.called
    if called is not None:
        environment = called.environment
        facts["application"] = environment.application.org_name
        facts["environment"] = environment.kind
    return facts | {
        "who": cleaned(vendor.claimed_key(request)) or "-",
        "status": answered.status,
        "ms": round(milliseconds, 1),
        "queries": trace.queries,
        "request": trace.request_id,
    }


def _note(vendor: Vendor, request: Request, answered: Answer, milliseconds: float) -> None:
    """For the request log. A call that names no known environment is in no log."""
    called = request.called
    if called is None:
        return
    call, is_refused = request.call, answered.status >= 400
    request_log.note(
        Answered(
            called.environment_id,
            LoggedCall(
                at=call.now.timestamp(),
                vendor=vendor.name,
                name=call.name,
                method=request.method or "",
                path=request.path_info[: request_log.LONGEST_PATH],
                status=answered.status,
                code="",
                milliseconds=round(milliseconds, 1),
                request_id=call.request_id,
                secret_hint=called.hint if request.is_signed else "",
                address=_address(request) or "",
            ),
            answered.content if is_refused else b"",
            vendor.documented.error_code if is_refused else "",
            called.environment.keep_requests,
        )
    )


def _address(request: Request) -> str | None:
    caller = getattr(request, "auth", None)
    return caller.actor.address if isinstance(caller, Caller) else client_address(request)


def _failed(vendor: Vendor, request: Request, error: Exception) -> Answer:
    """Call it where the exception is at hand: the log gets it, the caller does not."""
    call = request.call
    about = {"facts": {"vendor": vendor.name, "call": call.name, "request": call.request_id}}
    if is_database_lost(error):
        why = " ".join(str(error).split())
        logger.error("no database for a call: %.300s", why, extra=about)
        return cast(Answer, vendor.refusal(DatabaseLost()))
    logger.exception("a call failed", extra=about)
    return cast(Answer, vendor.refusal(Crashed()))


def _answered(vendor: Vendor, segments: Sequence[str], request: Request) -> Answer:
    if vendor.cross_origin and cross_origin.is_preflight(request):
        return cross_origin.preflight()
    match = request.resolver_match = vendor.resolve(segments)
    request.call = request.call._replace(name=vendor.call_name(request.method or "", match.route))
    # Django itself refuses a body that is announced too large; a chunked one announces nothing.
    if len(request.body) > (vendor.max_body or settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
        raise RequestDataTooBig("The request body is too large")
    answered = match.func(request, *match.args, **match.kwargs)
    if isinstance(answered, HttpResponseNotAllowed):
        raise WrongMethod(answered["Allow"])
    return cast(Answer, answered)
