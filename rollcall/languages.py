"""The language of a page: the one that was chosen, or else the browser's.

Invariants
----------
* Only pages have a language. Calls of the Server API are answered before this middleware, and the
  thread of a page is left in the default language: what is written to the audit, the log and the
  database is in English whoever looks at it.
* What was chosen is kept in a cookie for a year, so it also holds on the sign-in page.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers


def tag(language: str) -> str:
    """For `Content-Language` and `<html lang>`: "en", "zh-Hans"."""
    return translation.to_locale(language).replace("_", "-")


class LanguageMiddleware:
    """Unlike Django's, it ends the language with the request: threads answer calls as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_request(request)
        with translation.override(language, deactivate=True):
            request.LANGUAGE_CODE = language  # as Django's does
            response = self.get_response(request)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        response.headers.setdefault("Content-Language", tag(language))
        return response
