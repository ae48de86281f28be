"""Import a file: upload it, look at the verdict on each line, confirm, watch the progress."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from applications.access import Permission
from applications.keyset import Keyset
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.downloads import download
from console.links import page_url
from console.templatetags.words import said
from console.transfers.forms import UploadForm
from console.transfers.views import show_list
from transfers import files, imports
from transfers.files import Format
from transfers.kinds import KINDS
from transfers.models import KEPT, ImportJob, ImportRow

IN_ORDER = Keyset("line")
Result = ImportRow.Result
_TONES = {
    Result.UNCHECKED: "",
    Result.READY: "info",
    Result.EXISTS: "",
    Result.OVER_QUOTA: "warning",
    Result.BROKEN: "error",
    Result.DONE: "success",
    Result.REFUSED: "warning",
}
AT_ONCE = 2_000


def _job(environment: Environment, job_id: int) -> ImportJob:
    job: ImportJob = get_object_or_404(ImportJob, environment=environment, pk=job_id)
    job.environment = environment
    return job


def _may(request: MemberRequest, job: ImportJob) -> ImportJob:
    request.access.require(KINDS[job.kind].permission)
    return job


@require_POST
@in_environment(Permission.MODERATE)
def upload(request: MemberRequest, environment: Environment) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return show_list(request, environment, form, status=422)
    kind, file = KINDS[form.cleaned_data["kind"]], form.cleaned_data["file"]
    request.access.require(kind.permission)
    try:
        job = imports.upload(
            environment=environment,
            kind=kind,
            file=file.file,
            name=file.name,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except files.BadFile as error:
        form.add_error("file", str(error))
        return show_list(request, environment, form, status=422)
    return redirect(page_url(environment, "transfers:import_job", job.pk))


@require_safe
@in_environment(Permission.VIEW)
def import_job(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """The page loads this view again each second while lines are checked or imported."""
    return _show(request, _job(environment, job_id))


def _show(request: MemberRequest, job: ImportJob, *, error: str = "") -> HttpResponse:
    numbers = imports.progress(job)
    total = sum(numbers.values())
    wanted = request.GET.get("result", "")
    tabs = [
        {"word": result.value, "label": said(result.label).capitalize(), "count": numbers[result]}
        for result in (Result.BROKEN, Result.OVER_QUOTA, Result.REFUSED, *Result)
        if numbers.get(result)
    ]
    tabs = list({tab["word"]: tab for tab in tabs}.values())
    if wanted not in {tab["word"] for tab in tabs}:
        wanted = ""
    rows = job.rows.filter(result=wanted) if wanted else job.rows.all()
    page = responses.page(request, of=rows, order=IN_ORDER)
    waiting = Result.UNCHECKED if job.state == ImportJob.State.CHECKING else Result.READY
    context: dict[str, Any] = {
        "job": job,
        "kind": KINDS[job.kind],
        "may": request.access.may[KINDS[job.kind].permission],
        "needs": request.access.needs[KINDS[job.kind].permission],
        "numbers": numbers,
        "ready": numbers.get(Result.READY, 0),
        "broken": numbers.get(Result.BROKEN, 0),
        "imported": numbers.get(Result.DONE, 0),
        "failed": sum(numbers.get(result, 0) for result in imports.NOT_IMPORTED),
        "total": total,
        "done": total - numbers.get(waiting, 0),
        "results": [
            (said(Result(word).label.lower()), number, _TONES[Result(word)])
            for word, number in numbers.items()
        ],
        "tabs": [{"word": "", "label": gettext("All lines"), "count": total}, *tabs],
        "wanted": wanted,
        "pages": page,
        "rows": [
            (
                row,
                [row.values.get(column.name, "") for column in KINDS[job.kind].columns],
                _TONES[Result(row.result)],
            )
            for row in page.rows
        ],
        "connected": imports.connected(job, now=timezone.now())
        if job.kind == "bans" and job.state == ImportJob.State.PREVIEWED
        else None,
        "phrase": "" if job.environment.is_development else job.environment.full_name,
        "kept_until": job.uploaded_at + KEPT,
        "error": error,
    }
    return responses.shown(
        request,
        "console/transfers/import_job.html",
        context,
        fragment="console/transfers/_import_job.html",
        status=422 if error else 200,
    )


@require_POST
@in_environment(Permission.MODERATE)
def import_confirm(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """In production, the environment's name is typed. A second POST shows what the first has
    started.
    """
    job = _may(request, _job(environment, job_id))
    here = page_url(environment, "transfers:import_job", job.pk)
    if job.state != ImportJob.State.PREVIEWED:
        return redirect(here)
    typed = request.POST.get("confirm", "").strip()
    if not environment.is_development and typed != environment.full_name:
        return _show(
            request,
            job,
            error=gettext("Type {full_name} to import these lines.").format(
                full_name=environment.full_name
            ),
        )
    try:
        with suppress(imports.JobNotOpen):  # somebody else was first: the page shows the result
            imports.confirm(
                job=job,
                skip_broken="skip_broken" in request.POST,
                by=acting_staff(request),
                now=timezone.now(),
            )
    except imports.HasBrokenLines:
        return _show(
            request, job, error=gettext("Say that the broken lines may be left out, or mend them.")
        )
    except imports.NothingToImport:
        return _show(request, job, error=gettext("No line can be imported."))
    return redirect(here)


@require_POST
@in_environment(Permission.MODERATE)
def import_cancel(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """Discard an import, or stop it."""
    job = _may(request, _job(environment, job_id))
    here = page_url(environment, "transfers:import_job", job.pk)
    try:
        imports.cancel(job=job, by=acting_staff(request), now=timezone.now())
    except imports.JobNotOpen:
        return responses.moved(
            request, gettext("This import has already ended"), to=here, tone="error"
        )
    if job.confirmed_at is None:
        to = page_url(environment, "transfers:index")
        return responses.moved(request, gettext("Discarded. Nothing was imported"), to=to)
    return responses.moved(request, gettext("Stopped. What was imported stays"), to=here)


@require_safe
@in_environment(Permission.VIEW)
def import_manifest(
    request: MemberRequest, environment: Environment, job_id: int
) -> HttpResponseBase:
    """The lines that were not imported, as they were, with the reasons: to mend and import them."""
    job = _job(environment, job_id)
    return download(
        request,
        _manifest(job),
        name=f"not-imported-{job.pk}.csv",
        content_type=Format.CSV.content_type,
    )


def _manifest(job: ImportJob) -> Iterator[bytes]:
    names = [column.name for column in KINDS[job.kind].columns]
    columns = [*names, "line", "result", "problem"]
    yield files.head(Format.CSV, columns)
    failed = job.rows.filter(result__in=imports.NOT_IMPORTED)
    cursor, more = "", True
    while more:
        page = IN_ORDER.page(failed, cursor=cursor, size=AT_ONCE)
        yield files.rows(
            Format.CSV,
            columns,
            (
                [*(row.values.get(name, "") for name in names), row.line, row.result, row.problem]
                for row in page.rows
            ),
        )
        cursor, more = page.next or "", bool(page.next)
