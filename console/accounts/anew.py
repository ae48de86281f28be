"""Signing in anew, for what changes who may enter: only somebody who has signed in within ten
minutes may do it.

`console.access.in_environment` asks for it by permission, Django admin for each change, and the
pages of an account with `signed_in_anew`.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

View = Callable[..., HttpResponseBase]


def is_recent(request: HttpRequest) -> bool:
    """Whether this session's owner has signed in, or done so again, within ten minutes."""
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, request.user)
    return any(each.get("reauthenticated") and each["at"] > since for each in records)


def ask(request: Any) -> HttpResponse | None:
    """None if signing in was recent. Otherwise the way to the page that asks for it, from where a
    form that was sent goes on as it was.

    A dialog cannot show that page: the browser leaves, comes back and opens the dialog again.
    """
    if is_recent(request):
        return None
    if not request.htmx or request.method != "GET":
        raise ReauthenticationRequired  # allauth keeps the form and redirects
    page = (request.htmx.current_url_abs_path or "").partition("#")[0]
    path = request.get_full_path()
    back = f"{page}#dialog={quote(path, safe='')}" if page else path
    to = f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
    return HttpResponse(status=204, headers={"HX-Redirect": to})


def signed_in_anew(view: View) -> View:
    """Decorate a view that only somebody may open who has signed in recently."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return ask(request) or view(request, *args, **kwargs)

    return asked
