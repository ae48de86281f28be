"""Delete several test users: preview exactly whom, confirm by typing, watch the progress."""

from contextlib import suppress
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_POST, require_safe

from applications.access import Permission
from applications.keyset import Keyset
from applications.models import FREE_USER_LIMIT, Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import said
from moderation import stakes
from users import deletion, identity, reclaim, undo
from users.models import AppUser, DeletionItem, DeletionJob

IN_ORDER = Keyset("id")
_TONES = {
    DeletionItem.Result.PENDING: "",
    DeletionItem.Result.DELETED: "success",
    DeletionItem.Result.GONE: "",
    DeletionItem.Result.ANOTHER_LIFE: "warning",
    DeletionItem.Result.PINNED: "info",
    DeletionItem.Result.UNDONE: "info",
}


def _quota(environment: Environment) -> str:
    return page_url(environment, "quota:index")


def _job_url(job: DeletionJob) -> str:
    return page_url(job.environment, "quota:job", job.pk)


def _job(environment: Environment, job_id: int) -> DeletionJob:
    job: DeletionJob = get_object_or_404(DeletionJob, environment=environment, pk=job_id)
    job.environment = environment
    return job


@require_POST
@in_environment(Permission.MANAGE_USERS)
def deletion_preview(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Create a job from the selected users, each with a reason. Ids that are no longer registered
    are left out.
    """
    now, back = timezone.now(), _quota(environment)
    try:
        wanted = identity.check_user_ids(request.POST.getlist("user_id"))
    except identity.InvalidUserId as error:
        return responses.refused(request, error, back=back)
    # The reasons are computed again here: a form can contain any text.
    plan = reclaim.plan(environment=environment, wanted=2 * FREE_USER_LIMIT, now=now)
    reasons = {candidate.user.pk: candidate.reason for candidate in plan.candidates}
    users = AppUser.objects.in_environment(environment).filter(user_id__in=wanted)
    try:
        job = deletion.preview(
            environment=environment,
            candidates=[
                (user, reasons.get(user.pk, gettext_noop("Chosen by hand")))
                for user in users.order_by("user_id")
            ],
            by=acting_staff(request),
            now=now,
        )
    except deletion.NotInProduction as error:
        return responses.refused(request, error, back=back)
    except deletion.NobodyToDelete:
        message = (
            gettext("None of these users is still registered. Nothing was changed")
            if wanted
            else gettext("No user is selected. Nothing was changed")
        )
        return responses.moved(request, message, to=back, tone="error")
    return redirect(_job_url(job))


@require_safe
@in_environment(Permission.VIEW)
def deletion_job(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """The page polls this view each second while the job runs."""
    return _show(request, _job(environment, job_id))


def _show(request: MemberRequest, job: DeletionJob, *, error: str = "") -> HttpResponse:
    numbers = deletion.progress(job)
    total = sum(numbers.values())
    pending = numbers.get(DeletionItem.Result.PENDING, 0)
    items = responses.page(request, of=job.items.all(), order=IN_ORDER, size=2 * FREE_USER_LIMIT)
    deleted = list(job.deleted_users.defer("kept").order_by("pk"))
    refusals = undo.refusals(environment=job.environment, deleted=deleted, now=timezone.now())
    why_not = {each.life: refusals[each.pk].value for each in deleted if each.pk in refusals}
    context: dict[str, Any] = {
        "job": job,
        "items": items,
        "rows": [(item, why_not.get(item.life, "")) for item in items.rows],
        "undoable": len(deleted) - len(refusals),
        "total": total,
        "pending": pending,
        "passed_over": numbers.get(DeletionItem.Result.PINNED, 0),
        "done": total - pending,
        "deleted": numbers.get(DeletionItem.Result.DELETED, 0),
        "undone": numbers.get(DeletionItem.Result.UNDONE, 0),
        "results": [
            (
                said(DeletionItem.Result(word).label.lower()),
                number,
                _TONES[DeletionItem.Result(word)],
            )
            for word, number in numbers.items()
        ],
        "phrase": job.environment.full_name,
        "reach": _reach(job) if job.state == DeletionJob.State.PREVIEWED else None,
        "error": error,
    }
    return responses.shown(
        request,
        "console/quota/job.html",
        context,
        fragment="console/quota/_job.html",
        status=422 if error else 200,
    )


def _reach(job: DeletionJob) -> stakes.Reach:
    wanted = list(job.items.pending().values_list("user_id", flat=True))
    return stakes.reach(environment=job.environment, user_ids=wanted, now=timezone.now())


@require_POST
@in_environment(Permission.MANAGE_USERS)
def deletion_confirm(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """A second POST shows the job that the first one started."""
    job = _job(environment, job_id)
    if job.state != DeletionJob.State.PREVIEWED:
        return redirect(_job_url(job))
    if request.POST.get("confirm", "").strip() != environment.full_name:
        return _show(
            request,
            job,
            error=gettext("Type {full_name} to delete these users.").format(
                full_name=environment.full_name
            ),
        )
    with suppress(deletion.JobNotOpen):  # somebody else was first: the page shows the result
        deletion.confirm(job=job, by=acting_staff(request), now=timezone.now())
    return redirect(_job_url(job))


@require_POST
@in_environment(Permission.MANAGE_USERS)
def deletion_cancel(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """Discard a preview, or stop a running job."""
    job = _job(environment, job_id)
    try:
        deletion.cancel(job=job, by=acting_staff(request), now=timezone.now())
    except deletion.JobNotOpen:
        return responses.moved(
            request, gettext("This deletion has already ended"), to=_job_url(job), tone="error"
        )
    if job.confirmed_at is None:
        return responses.moved(
            request, gettext("Preview discarded. Nobody was deleted"), to=_quota(environment)
        )
    return responses.moved(request, gettext("Stopped. The other users are kept"), to=_job_url(job))
