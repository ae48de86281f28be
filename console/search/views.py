"""The search dialog, and without JavaScript its page.

An access token must not get into an address, so the form posts, like that of "Why?"; whatever is no
token is redirected to its own address, where there is no JavaScript.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from applications.access import Permission
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.search import finders
from console.search.hits import Group
from console.why.subjects import is_token

asked_methods = require_http_methods(["GET", "HEAD", "POST"])
LONGEST = 1_000  # characters that are read


@asked_methods
@in_environment(Permission.VIEW)
def search_environment(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Everything of the environment, and the applications of the member."""
    text = _text(request)
    here = page_url(environment, "search:index")
    return _shown(
        request,
        text,
        here,
        finders.in_environment(request, environment, text, now=timezone.now()),
        is_secret=is_token(text),
    )


@asked_methods
@never_cache
def search_everywhere(request: HttpRequest) -> HttpResponse:
    """From a page that belongs to no environment: applications, and users by their whole id."""
    text = _text(request)
    return _shown(request, text, reverse("search_everywhere"), finders.everywhere(request, text))


@require_safe
@never_cache
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The keys that the console knows, and the switch for them, which the browser keeps."""
    return responses.dialog(
        request, "console/search/_shortcuts.html", {"title": gettext("Keyboard")}
    )


def _text(request: HttpRequest) -> str:
    given = request.POST if request.method == "POST" else request.GET
    typed = given.get("q", "")[:LONGEST].replace("\0", " ")  # PostgreSQL cannot compare with NUL
    return " ".join(typed.split())


def _shown(
    request: HttpRequest, text: str, here: str, groups: list[Group], *, is_secret: bool = False
) -> HttpResponse:
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    if request.method == "POST" and not htmx and not is_secret:
        return redirect(f"{here}?{_query(text)}")
    context = {
        "title": gettext("Search"),
        "text": text,
        "search_url": here,
        "groups": [group for group in groups if group.hits or group.note],
        "found": sum(len(group.hits) for group in groups),
    }
    fragment = "_results" if htmx and htmx.target == "search-results" else "_dialog"
    return responses.dialog(request, f"console/search/{fragment}.html", context)


def _query(text: str) -> str:
    return urlencode({"q": text})
