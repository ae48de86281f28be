"""Send a call of the Server API from its page, in development.

Invariants
----------
* The call takes the way of every call, from the middleware on, with the environment's own secret:
  its limits, its refusals and its line in the request log are those of an app server.
* It is the call that the page documents: another path is refused.
* A line of the audit trail says who sent it; what it changes, it changes as the app.
"""

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from django import forms
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from applications import app_secrets, openapi
from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff, client_address
from applications.vendors import Vendor, vendors
from console import responses
from console.access import MemberRequest, in_environment
from console.api_docs import paths
from console.links import page_url

FORM = "application/x-www-form-urlencoded"
LONGEST_BODY = 20_000


class SendForm(forms.Form):
    vendor = forms.CharField(max_length=40)
    call = forms.CharField(max_length=200)
    path = forms.CharField(max_length=2_000)
    body = forms.CharField(max_length=LONGEST_BODY, required=False, strip=False)


@dataclass(frozen=True)
class Answer:
    status: int
    milliseconds: float
    body: str
    request_id: str

    @property
    def is_refused(self) -> bool:
        return self.status >= 400


@require_POST
@in_environment(Permission.MANAGE_USERS)
def call_send(request: MemberRequest, environment: Environment) -> HttpResponse:
    back = page_url(environment, "requests:index")
    form = SendForm(request.POST)
    if not form.is_valid():
        return responses.refused(
            request, gettext("The call has no path, or is too long."), back=back
        )
    vendor = _vendor(environment, form.cleaned_data["vendor"])
    method, template, is_form = _operation(vendor, form.cleaned_data["call"], environment)
    path = form.cleaned_data["path"]
    if not re.fullmatch(paths.pattern(template), urlsplit(path).path):
        return responses.refused(
            request, gettext("The path must be {template}.").format(template=template), back=back
        )
    try:
        secret = app_secrets.for_staff(
            environment=environment,
            call=f"{method} {urlsplit(path).path}"[:300],
            by=acting_staff(request),
            now=timezone.now(),
        )
    except app_secrets.NotInProduction as error:
        return responses.refused(request, error, back=back)
    assert vendor.credentials is not None  # noqa: S101 - `_vendor` has looked
    headers = {
        **vendor.credentials(secret, timezone.now()),
        "X-Request-ID": str(uuid4()),
        "Content-Type": FORM if is_form else "application/json",
    }
    answer = _send(request, method, path, headers, form.cleaned_data["body"])
    context = {"title": f"{method} {path}", "answer": answer, "back": back}
    return responses.dialog(request, "console/requests/_sent.html", context)


def _vendor(environment: Environment, name: str) -> Vendor:
    for vendor in vendors():
        if vendor.name == name in environment.application.vendors and vendor.credentials:
            return vendor
    raise Http404


def _operation(vendor: Vendor, call: str, environment: Environment) -> tuple[str, str, bool]:
    """Method and path of the call, and whether its body is a form."""
    for path, method, operation in openapi.operations(vendor.document):
        if operation["operationId"] == call:
            content = operation.get("requestBody", {}).get("content", {})
            base = paths.base(vendor.document, environment)
            return method.upper(), base + path.rstrip("/"), FORM in content
    raise Http404


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def _send(page: HttpRequest, method: str, path: str, headers: dict[str, str], body: str) -> Answer:
    parts, sent = urlsplit(path), body.encode(errors="replace")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(parts.path).encode().decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": page.META.get("SERVER_NAME", "localhost"),
        "SERVER_PORT": page.META.get("SERVER_PORT", "80"),
        "REMOTE_ADDR": client_address(page) or "",
        "CONTENT_TYPE": headers.pop("Content-Type"),
        "CONTENT_LENGTH": str(len(sent)),
        "wsgi.input": BytesIO(sent),
        "wsgi.url_scheme": page.scheme,
        **{f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()},
        "HTTP_HOST": page.get_host(),
    }
    started = time.perf_counter()
    response = _handler().get_response(WSGIRequest(environ))
    milliseconds = 1000 * (time.perf_counter() - started)
    text = response.content.decode(errors="replace")  # type: ignore[attr-defined]  # no stream
    with suppress(ValueError):  # shown as it is
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return Answer(response.status_code, milliseconds, text, headers["X-Request-ID"])
