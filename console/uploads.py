"""Refuses requests that are too large to be an upload before anything reads them.

Django reads the whole body to find the CSRF token, so no view could refuse it in time.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def is_too_large(content_length: str) -> bool:
    """A length that is no number is for Django to refuse."""
    return content_length.isdecimal() and int(content_length[:20]) > settings.LARGEST_UPLOAD


def too_large() -> HttpResponse:
    return HttpResponse(render_to_string("413.html"), status=413, headers={"Connection": "close"})


class UploadMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_too_large(request.headers.get("Content-Length", "")):
            return too_large()
        return self.get_response(request)
