"""Lift one or several bans, and undo that."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.forms import MAX_AT_ONCE
from console.identities import id_or_count
from console.links import came_from, page_url
from console.templatetags.words import sentence
from moderation import bans
from users import identity


@require_POST
@in_environment(Permission.MODERATE)
def ban_lift(request: MemberRequest, environment: Environment) -> HttpResponse:
    back = came_from(request, page_url(environment, "bans:index"))
    user_ids = _user_ids(request)
    if not user_ids:
        return responses.refused(
            request, gettext("No ban is selected. Select the bans to lift."), back=back
        )
    try:
        lifted = bans.lift(
            environment=environment, user_ids=user_ids, by=acting_staff(request), now=timezone.now()
        )
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    undo = ""
    # The length of a URL is limited.
    if 0 < len(lifted) <= MAX_AT_ONCE:
        undo = page_url(environment, "bans:undo_lift", query={"user": lifted})
    message = (
        gettext("Lifted the ban of {whom}").format(whom=id_or_count(lifted))
        if lifted
        else gettext("Nothing to lift. No longer banned: {whom}").format(whom=id_or_count(user_ids))
    )
    return responses.done(request, message, to=back, events=["bans-changed"], undo=undo)


@require_POST
@in_environment(Permission.MODERATE)
def ban_undo_lift(request: MemberRequest, environment: Environment) -> HttpResponse:
    back = came_from(request, page_url(environment, "bans:index"))
    try:
        restored = bans.undo_lift(
            environment=environment,
            user_ids=_user_ids(request),
            by=acting_staff(request),
            now=timezone.now(),
        )
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    if not restored:
        reason = gettext(
            "Nothing to undo: the ban was changed meanwhile, or would have ended by now."
        )
        return responses.refused(request, reason, back=back)
    message = gettext("Banned {whom} again, until the same end as before").format(
        whom=id_or_count(restored)
    )
    return responses.done(request, message, to=back, events=["bans-changed"])


def _user_ids(request: MemberRequest) -> list[str]:
    """From the form, or from the URL if the POST is an undo."""
    return request.POST.getlist("user") or request.GET.getlist("user")
