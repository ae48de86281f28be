"""Responses that all pages share: a page, a dialog, a change that was made, a refusal.

Invariant: each response works both as a fragment for htmx and as a page for browsers without
JavaScript. This module decides which of the two to send; views do not.
"""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from applications.keyset import BadCursor, Keyset, Page
from console.audit.receipts import url_of_act

PAGE_SIZE = 50


def page(
    request: HttpRequest, *, of: QuerySet[Any], order: Keyset, size: int = PAGE_SIZE
) -> Page[Any]:
    """The page of a list that `?cursor=` names. It is the first page if the cursor is not one of
    this list, or if no rows are left after it.
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
    """The page, or for htmx only the fragment that the page includes."""
    response = render(request, fragment if _by_htmx(request) else template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def dialog(
    request: HttpRequest, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A dialog, or without htmx the same fragment on its own page. `context` has its `title`."""
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
    """A change was made, or, with tone "error", was not made because the page was stale.

    With htmx, the dialog closes, a toast shows the message, and the fragments that listen to
    `events` load again. Without htmx, the page `to` shows the message. A POST to the URL `undo`
    undoes the change. The toast links to the receipt of the change.
    """
    if _by_htmx(request):
        receipt = _receipt(request, tone)
        triggers = {"close-dialog": True, **dict.fromkeys(events, True)}
        toast = {"message": message, "tone": tone, "undo": undo, "receipt": receipt}
        headers = {"HX-Trigger": json.dumps({**triggers, "toast": toast})}
        return HttpResponse(status=204, headers=headers)
    return moved(request, message, to=to, tone=tone, undo=undo)


def moved(
    request: HttpRequest, message: str, *, to: Any, tone: str = "success", undo: str = ""
) -> HttpResponse:
    """Redirect to another page, which shows the message, with a link to the receipt of the change.
    For a page with nothing left to show.
    """
    level = messages.ERROR if tone == "error" else messages.SUCCESS
    # The two URLs, for the buttons of the message; "-" is none.
    urls = f"{undo or '-'} {_receipt(request, tone) or '-'}"
    messages.add_message(request, level, message, extra_tags=urls)
    if _by_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(to)})
    return redirect(to)


def _receipt(request: HttpRequest, tone: str) -> str:
    return "" if tone == "error" else url_of_act(request, now=timezone.now())


def refused(request: HttpRequest, reason: object, *, back: Any) -> HttpResponse:
    """409 and the reason: a rule forbids the change, whatever the role of the member."""
    if _by_htmx(request):
        return HttpResponse(str(reason), status=409, content_type="text/plain; charset=utf-8")
    context = {"reason": reason, "back": resolve_url(back)}
    return render(request, "refused.html", context, status=409)


def _by_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]
