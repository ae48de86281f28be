"""The page "Import and export", and the export of a list."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.access import Permission
from applications.counting import EXACT_UP_TO, Count, count
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.downloads import download
from console.links import page_url
from console.transfers.forms import ExportForm, UploadForm
from console.transfers.sources import SOURCES, Source
from transfers import exports
from transfers.files import Format
from transfers.kinds import KINDS
from transfers.models import KEPT, ExportJob, ImportJob

LATEST = 20
# A list of at most so many rows is sent at once; a longer one is written by a worker.
AT_ONCE = EXACT_UP_TO


@require_safe
@in_environment(Permission.VIEW)
def transfer_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    kind = request.GET.get("kind", "")
    form = UploadForm(initial={"kind": kind if kind in KINDS else "users"})
    return show_list(request, environment, form)


def show_list(
    request: MemberRequest, environment: Environment, form: UploadForm, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    recent = {"environment": environment}
    context = {
        "form": form,
        "kinds": KINDS.values(),
        "may_import": {name: request.access.may[kind.permission] for name, kind in KINDS.items()},
        "sources": SOURCES.values(),
        "imports": [
            (job, KINDS[job.kind].title)
            for job in ImportJob.objects.filter(**recent, uploaded_at__gt=now - KEPT).order_by(
                "-id"
            )[:LATEST]
        ],
        "exports": [
            (job, SOURCES[job.kind].title)
            for job in ExportJob.objects.filter(**recent, requested_at__gt=now - KEPT).order_by(
                "-id"
            )[:LATEST]
        ],
    }
    return responses.shown(
        request,
        "console/transfers/index.html",
        context,
        fragment="console/transfers/_index.html",
        status=status,
    )


# --- Exports -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """What the filters of a list's page find."""

    source: Source
    environment: Environment
    query: QueryDict
    number: Count

    @property
    def is_long(self) -> bool:
        return not self.number.exact or self.number.value > AT_ONCE


def _selected(
    environment: Environment, source_name: str, query: QueryDict, now: datetime
) -> Selection:
    if source_name not in SOURCES:
        raise Http404
    source, filters = SOURCES[source_name], query.copy()
    for name in ("format", "cursor"):
        filters.pop(name, None)
    rows, _ = source.found(filters, environment, now)
    return Selection(source, environment, filters, count(rows))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.VIEW)
def export(request: MemberRequest, environment: Environment, source: str) -> HttpResponse:
    """The dialog that exports what the filters in the URL find. A POST has a worker write the
    file.
    """
    now = timezone.now()
    selection = _selected(environment, source, request.GET, now)
    form = ExportForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        job = exports.start(
            environment=environment,
            kind=source,
            format=Format(form.cleaned_data["format"]),
            query=selection.query.urlencode(),
            expected=selection.number.value,
            by=acting_staff(request),
            now=now,
        )
        text = gettext("The file is being written")
        return responses.moved(
            request, text, to=page_url(environment, "transfers:export_job", job.pk)
        )
    context = {
        "title": gettext("Export {text}").format(text=selection.source.title.lower()),
        "selection": selection,
        "form": form if form.is_bound else ExportForm(),
        "filters": [(name, value) for name, values in selection.query.lists() for value in values],
        "action": request.get_full_path(),
        "file_url": page_url(environment, "transfers:file", source),
        "back": page_url(environment, selection.source.page),
        "most": AT_ONCE,
    }
    status = 422 if form.is_bound else 200
    return responses.dialog(request, "console/transfers/_export.html", context, status=status)


@require_safe
@in_environment(Permission.VIEW)
def export_now(request: MemberRequest, environment: Environment, source: str) -> HttpResponseBase:
    """The file, if the list is short; otherwise the dialog that has it written."""
    now = timezone.now()
    selection = _selected(environment, source, request.GET, now)
    form = ExportForm(request.GET)
    if not form.is_valid() or selection.is_long:
        return redirect(
            page_url(environment, "transfers:export", source, query=selection.query.lists())
        )
    format = Format(form.cleaned_data["format"])
    return download(
        request,
        _parts(selection, format, now),
        name=_file_name(environment, source, format),
        content_type=format.content_type,
    )


def _parts(selection: Selection, format: Format, now: datetime) -> Iterator[bytes]:
    cursor, more = "", True
    while more:
        part = selection.source.part(
            selection.environment, selection.query, format, cursor=cursor, now=now
        )
        yield part.content
        cursor, more = part.next, bool(part.next)


def _file_name(environment: Environment, kind: str, format: Format) -> str:
    return f"{kind}-{environment.application.org_name}-{environment.kind}.{format}"


def _export_job(environment: Environment, job_id: int) -> ExportJob:
    job: ExportJob = get_object_or_404(ExportJob, environment=environment, pk=job_id)
    job.environment = environment
    return job


@require_safe
@in_environment(Permission.VIEW)
def export_job(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """The page loads this view again each second while the file is written."""
    job = _export_job(environment, job_id)
    context: dict[str, Any] = {
        "job": job,
        "source": SOURCES[job.kind],
        "kept_until": job.requested_at + KEPT,
        "done": min(job.rows, job.expected) if job.state == "running" else job.rows,
        "filters": [
            (name, value) for name, values in QueryDict(job.query).lists() for value in values
        ],
    }
    return responses.shown(
        request,
        "console/transfers/export_job.html",
        context,
        fragment="console/transfers/_export_job.html",
    )


@require_safe
@in_environment(Permission.VIEW)
def export_file(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponseBase:
    job = _export_job(environment, job_id)
    if job.state != ExportJob.State.DONE or job.requested_at <= timezone.now() - KEPT:
        raise Http404
    format = Format(job.format)
    return download(
        request,
        exports.contents(job),
        name=_file_name(environment, job.kind, format),
        content_type=format.content_type,
    )


@require_POST
@in_environment(Permission.VIEW)
def export_cancel(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    job = _export_job(environment, job_id)
    back = page_url(environment, "transfers:export_job", job_id)
    try:
        exports.cancel(job=job, by=acting_staff(request), now=timezone.now())
    except exports.JobNotOpen:
        return responses.moved(
            request, gettext("This export has already ended"), to=back, tone="error"
        )
    return responses.moved(request, gettext("Stopped. The file was discarded"), to=back)
