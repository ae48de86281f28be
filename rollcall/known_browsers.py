"""A signed cookie that tells a browser in which somebody has signed in before from a stranger's.

Invariants
----------
* The cookie signs nobody in: it only keeps a person from being slowed down by strangers' guesses.
* It names the account by a keyed hash, so it tells nobody who has used the browser.
"""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.http import HttpRequest, HttpResponse

from applications import vault

COOKIE = "known_browser"
KEPT = timedelta(days=180)
_SALT = "rollcall.known_browsers"


def id_of(request: HttpRequest, username: str) -> str:
    """The id of this browser, if this account has signed in from it; else ""."""
    try:
        whose, browser = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=KEPT)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(browser) if whose in _names(username) else ""


def _names(username: str) -> list[str]:
    return [mac.hex()[:16] for mac in vault.macs("known browsers", username.encode())]


def note(*, request: Any, user: Any, **_: Any) -> None:
    """Somebody has signed in: the response will set the cookie."""
    if request is not None:
        request.signed_in_as = user.get_username()


user_logged_in.connect(note, dispatch_uid="rollcall.known_browsers")


class KnownBrowserMiddleware:
    def __init__(self, get_response: Any):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self._get_response(request)
        username = getattr(request, "signed_in_as", "")
        if username:
            known = [_names(username)[0], id_of(request, username) or secrets.token_hex(8)]
            response.set_cookie(
                COOKIE,
                signing.dumps(known, salt=_SALT),
                max_age=KEPT,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
