"""What is answered when a page is refused."""

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Names the missing permission: on a page, or for htmx in one line, which becomes a toast."""
    if request.headers.get("HX-Request"):
        return HttpResponseForbidden(str(exception), content_type="text/plain; charset=utf-8")
    return render(request, "403.html", {"exception": str(exception)}, status=403)
