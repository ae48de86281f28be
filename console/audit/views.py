"""The audit trail: of the environment, or of what lies above both environments."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.keyset import Keyset
from applications.models import AuditEvent, Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.audit.forms import AuditFilterForm
from console.audit.sentences import lines
from console.audit.words import words
from console.exports import csv_file

NEWEST_FIRST = Keyset("-at", "-id")
EXPORT_AT_MOST = 10_000
COLUMNS = (
    *("at", "type", "sentence", "subject", "actor_kind", "actor", "via", "address"),
    *("request_id", "before", "after"),
)


@require_safe
@in_environment(Permission.VIEW)
def audit_log(request: MemberRequest, environment: Environment) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    above = request.GET.get("of") == "application"
    page = responses.page(
        request, of=_found(environment, form, above=above), order=NEWEST_FIRST, size=50
    )
    context = {
        "form": form,
        "above": above,
        "here": not above,
        "filters": list(_chips(form, request.GET)),
        "found": page,
        "lines": lines(page.rows),
        "export_at_most": EXPORT_AT_MOST,
    }
    return responses.shown(
        request, "console/audit/index.html", context, fragment="console/audit/_lines.html"
    )


@require_safe
@in_environment(Permission.VIEW)
def audit_export(request: MemberRequest, environment: Environment) -> HttpResponse:
    """What the page's filters find, newest first, as CSV."""
    form = AuditFilterForm(request.GET)
    above = request.GET.get("of") == "application"
    found = _found(environment, form, above=above).order_by("-at", "-id")[:EXPORT_AT_MOST]
    name = f"audit-{environment.application.org_name}-{environment.kind}.csv"
    return csv_file(name, COLUMNS, (_row(event) for event in found.iterator(chunk_size=2000)))


def _found(environment: Environment, form: AuditFilterForm, *, above: bool) -> QuerySet[AuditEvent]:
    """A filter that makes no sense filters nothing out: the form says what is wrong with it."""
    found = (
        AuditEvent.objects.filter(application=environment.application, environment=None)
        if above
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
    return found.filter(**{lookups[name]: value for name, value in wanted.items()})


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


def _row(event: AuditEvent) -> list[Any]:
    said = {
        "at": event.at.isoformat(),
        "sentence": words(event.type).sentence,
        "before": _json(event.before),
        "after": _json(event.after),
    }
    return [said[name] if name in said else getattr(event, name) or "" for name in COLUMNS]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
