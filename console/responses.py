"""How pages answer: a change made, a dialog, a refusal; alike in every storey.

Invariant: each answer works twice, as a fragment for htmx and as a page for browsers without
JavaScript. What differs by that is decided here and not in views.
"""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers

from applications.keyset import BadCursor, Keyset, Page

PAGE_SIZE = 50


def page(
    request: HttpRequest, *, of: QuerySet[Any], order: Keyset, size: int = PAGE_SIZE
) -> Page[Any]:
    """The page of a list that the address names. It starts at the beginning where the cursor is not
    one of this list, or nothing is left behind it.
    """
    cursor = request.GET.get("cursor", "")
    try:
        found = order.page(of, cursor=cursor, size=size)
    except BadCursor:
        return order.page(of, size=size)
    return found if found.rows or not cursor else order.page(of, size=size)


def shown(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str,
    status: int = 200,
) -> HttpResponse:
    """The page, or for htmx the fragment that it includes."""
    response = render(request, fragment if _by_htmx(request) else template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def dialog(
    request: HttpRequest, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A dialog, or the same fragment on a page of its own. `context` has its `title`."""
    context = {**context, "dialog_template": fragment}
    return shown(request, "dialog_page.html", context, fragment=fragment, status=status)


def done(
    request: HttpRequest,
    message: str,
    *,
    to: Any,
    events: Iterable[str] = (),
    tone: str = "success",
    undo: str = "",
) -> HttpResponse:
    """A change was made, or (tone "error") could not be: the page was stale. With htmx the dialog
    closes, a toast says it, and what shows `events` draws itself again; without, `to` says it.

    A POST to the address `undo` takes the change back.
    """
    if _by_htmx(request):
        triggers = {"close-dialog": True, **dict.fromkeys(events, True)}
        toast = {"message": message, "tone": tone, "undo": undo}
        headers = {"HX-Trigger": json.dumps({**triggers, "toast": toast})}
        return HttpResponse(status=204, headers=headers)
    return moved(request, message, to=to, tone=tone, undo=undo)


def moved(
    request: HttpRequest, message: str, *, to: Any, tone: str = "success", undo: str = ""
) -> HttpResponse:
    """On to another page, which says the message: for when this one has nothing left to show."""
    level = messages.ERROR if tone == "error" else messages.SUCCESS
    messages.add_message(request, level, message, extra_tags=undo)
    if _by_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(to)})
    return redirect(to)


def refused(request: HttpRequest, reason: object, *, back: Any) -> HttpResponse:
    """The law forbids it, whoever asks: 409 and the reason."""
    if _by_htmx(request):
        return HttpResponse(str(reason), status=409, content_type="text/plain; charset=utf-8")
    context = {"reason": reason, "back": resolve_url(back)}
    return render(request, "refused.html", context, status=409)


def _by_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]
