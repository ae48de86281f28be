"""The audit trail of the environment, or of the application itself."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications import audit_seals, audit_verification, standby
from applications.access import Permission
from applications.keyset import Keyset
from applications.models import AuditEvent, Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.audit import receipts
from console.audit.forms import AuditFilterForm
from console.audit.sentences import groups, lines
from console.audit.words import words

NEWEST_FIRST = Keyset("-at", "-id")


@require_safe
@in_environment(Permission.VIEW)
def audit_log(request: MemberRequest, environment: Environment) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    of_application = _is_of_application(request.GET)
    events = _events(environment, form, of_application=of_application)
    now = timezone.now()
    page = standby.read(
        lambda database: responses.page(
            request, of=events.using(database), order=NEWEST_FIRST, size=50
        ),
        now=now,
    )
    context = {
        "form": form,
        "of_application": of_application,
        "of_environment": not of_application,
        "filters": list(_chips(form, request.GET)),
        "found": page,
        "groups": groups(lines(page.rows)),
        "health": audit_seals.seal_health(now=now),
    }
    return responses.shown(
        request, "console/audit/index.html", context, fragment="console/audit/_lines.html"
    )


@require_safe
@in_environment(Permission.VIEW)
def audit_line(request: MemberRequest, environment: Environment, line_id: int) -> HttpResponse:
    """A line, which is the receipt of its act."""
    event = get_object_or_404(
        AuditEvent.objects.filter(
            Q(environment=environment) | Q(environment=None, application=environment.application_id)
        ),
        pk=line_id,
    )
    now = timezone.now()
    [line] = lines([event])
    others = receipts.same_act(event)
    undo = receipts.undo(environment, event, by=request.user.get_username(), now=now)
    context = {
        "line": line,
        "event": event,
        "standing": audit_verification.standing(event),
        "outcome": receipts.outcome(environment, event),
        "undo": undo,
        "may_undo": undo and request.access.may[undo.permission],
        "undo_needs": undo and request.access.needs[undo.permission],
        "samples": receipts.same_calls(
            environment, event, host=request.build_absolute_uri("/").rstrip("/")
        ),
        "others": lines(others[: receipts.LISTED]),
        "more": len(others) > receipts.LISTED,
        "link": request.build_absolute_uri(request.path),
    }
    return render(request, "console/audit/line.html", context)


def listed(query: QueryDict, environment: Environment) -> QuerySet[AuditEvent]:
    """The lines that the filters of a URL find, for the export."""
    return _events(environment, AuditFilterForm(query), of_application=_is_of_application(query))


def _is_of_application(query: QueryDict) -> bool:
    """`?of=application` asks for changes of the application, which belong to no environment."""
    return query.get("of") == "application"


def _events(
    environment: Environment, form: AuditFilterForm, *, of_application: bool
) -> QuerySet[AuditEvent]:
    """An invalid filter is ignored; the form shows its error."""
    events = (
        AuditEvent.objects.filter(application=environment.application, environment=None)
        if of_application
        else AuditEvent.objects.filter(environment=environment)
    )
    form.is_valid()
    wanted = {name: value for name, value in form.cleaned_data.items() if value}
    lookups = {
        "type": "type",
        "actor": "actor",
        "subject": "subject",
        "since": "at__gte",
        "until": "at__lt",
    }
    return events.filter(**{lookups[name]: value for name, value in wanted.items()})


def _chips(form: AuditFilterForm, query: QueryDict) -> Iterator[dict[str, str]]:
    for name, field in form.fields.items():
        if name in form.errors or not form.data.get(name):
            continue
        without = query.copy()
        for other in (name, "cursor"):
            without.pop(other, None)
        value = str(form.data[name])
        yield {
            "label": str(field.label),
            "value": words(value).sentence,
            "url": f"?{without.urlencode()}",
        }
