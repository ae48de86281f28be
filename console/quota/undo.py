"""Undo deletions of test users: of one user, or of all users of a job."""

from collections import Counter
from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import said
from users import undo
from users.deletable import NotInProduction
from users.models import DeletedUser, DeletionJob
from users.undo import Refusal, Undone

CHANGED = ["users-changed"]


@require_POST
@in_environment(Permission.MANAGE_USERS)
def undo_one(request: MemberRequest, environment: Environment, deleted_id: int) -> HttpResponse:
    if not environment.is_development:
        back = page_url(environment, "quota:index")
        return responses.refused(request, NotInProduction(), back=back)
    deleted = DeletedUser.objects.in_environment(environment).filter(pk=deleted_id).first()
    if deleted is None:
        message = gettext("Not brought back: nothing is kept of this user any more")
        return responses.done(
            request,
            message,
            to=page_url(environment, "quota:index"),
            events=CHANGED,
            tone="error",
        )
    result = undo.undo(
        environment=environment, keys=[deleted_id], by=acting_staff(request), now=timezone.now()
    )
    to = page_url(environment, "users:detail", deleted.user_id)
    if result.restored:
        message = gettext("{user_id} is back. Clients need a new access token").format(
            user_id=deleted.user_id
        )
        return responses.done(request, message, to=to, events=CHANGED)
    message = gettext("{user_id} was not brought back: {reason}").format(
        user_id=deleted.user_id, reason=said(result.refused[deleted_id].value)
    )
    return responses.done(request, message, to=to, events=CHANGED, tone="error")


@require_POST
@in_environment(Permission.MANAGE_USERS)
def undo_job(request: MemberRequest, environment: Environment, job_id: int) -> HttpResponse:
    """Bring back as many users of the job as can be; the job's page shows the result for each."""
    job = get_object_or_404(DeletionJob, environment=environment, pk=job_id)
    result = undo.undo(
        environment=environment,
        keys=list(job.deleted_users.values_list("pk", flat=True)),
        by=acting_staff(request),
        now=timezone.now(),
    )
    return responses.moved(
        request,
        _summary(result),
        to=page_url(environment, "quota:job", job.pk),
        tone="success" if result.restored else "error",
    )


def _summary(result: Undone) -> str:
    back = len(result.restored)
    text = (
        ngettext("{count} user brought back", "{count} users brought back", back).format(count=back)
        if back
        else gettext("Nobody came back")
    )
    reasons = _counted(
        refusal for refusal in result.refused.values() if refusal is not Refusal.UNDONE
    )
    return (
        gettext("{text}. Not brought back: {reasons}").format(text=text, reasons=reasons)
        if reasons
        else text
    )


def _counted(refusals: Iterable[Refusal]) -> str:
    counts = Counter(refusal.value for refusal in refusals)
    return "; ".join(f"{number}, because {reason}" for reason, number in counts.items())
