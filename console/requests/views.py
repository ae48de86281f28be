"""The request log of an environment: what its app servers have called lately, and how it ended."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications import request_log
from applications.access import Permission
from applications.models import AuditEvent, Environment
from applications.request_log import LoggedCall
from console import responses
from console.access import MemberRequest, in_environment
from console.audit.sentences import lines
from console.requests.forms import RequestFilterForm

SHOWN = 100
# Audit lines of one call that its page lists.
LINES = 20


@require_safe
@in_environment(Permission.VIEW)
def request_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    form = RequestFilterForm(request.GET)
    kept = request_log.lately(environment)
    chosen = form.chosen(kept.calls)
    context = {
        "form": form,
        "is_filtered": any(form.cleaned_data.values()),
        "calls": [(call, _is_linkable(call)) for call in chosen[:SHOWN]],
        "more": len(chosen) - SHOWN,
        "kept": kept,
    }
    return responses.shown(
        request, "console/requests/index.html", context, fragment="console/requests/_list.html"
    )


@require_safe
@in_environment(Permission.VIEW)
def request_detail(
    request: MemberRequest, environment: Environment, request_id: str
) -> HttpResponse:
    """A call, what it changed, and where to ask why. App servers may use an id several times; the
    newest call is shown.
    """
    kept = request_log.lately(environment).calls
    call = next((call for call in kept if call.request_id == request_id), None)
    events = AuditEvent.objects.filter(environment=environment, request_id=request_id)
    changes = lines(events.order_by("pk")[:LINES])
    if call is None and not changes:
        raise Http404
    context = {
        "call": call,
        "request_id": request_id,
        "changes": changes,
        "link": request.build_absolute_uri(request.path),
    }
    return render(request, "console/requests/detail.html", context)


def _is_linkable(call: LoggedCall) -> bool:
    """Whether the id fits into a path: callers may choose their ids freely."""
    return bool(call.request_id) and call.request_id.replace("-", "").replace("_", "").isalnum()
