"""The doors of the Server API: which vendor's a request is for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class DoorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
