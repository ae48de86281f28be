"""Responses for a page that is refused or fails."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.views.defaults import server_error

from applications.outages import is_database_lost
from console.access import SecondFactorNeeded

TRY_AGAIN_AFTER = 5  # seconds


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 with the missing permission: a page, or for htmx one line of text, shown as a toast."""
    if request.headers.get("HX-Request"):
        return HttpResponseForbidden(str(exception), content_type="text/plain; charset=utf-8")
    if isinstance(exception, SecondFactorNeeded):
        context = {"application": exception.application}
        return render(request, "console/accounts/second_factor_needed.html", context, status=403)
    return render(request, "403.html", {"exception": str(exception)}, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """503 if the database cannot be reached, else 500. Neither page queries the database."""
    if not is_database_lost(sys.exception()):
        return server_error(request)
    response = HttpResponse(status=503)
    response["Retry-After"] = str(TRY_AGAIN_AFTER)
    if request.headers.get("HX-Request"):
        response["Content-Type"] = "text/plain; charset=utf-8"
        response.write(gettext("The database cannot be reached. Nothing was changed."))
    else:
        response.write(render_to_string("503.html"))
    return response
