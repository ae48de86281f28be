"""Mute users, lift mutes, and undo that."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.bans.forms import filled_in
from console.identities import id_or_count
from console.links import came_from, page_url
from console.mutes.forms import MuteForm
from console.templatetags.words import sentence
from moderation import mutes, stakes
from moderation.models import Mute
from users import identity

CHANGED = ["mutes-changed"]


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MODERATE)
def mute_impose(request: MemberRequest, environment: Environment) -> HttpResponse:
    """`?user=` and `?channel=`, each once or several times, fill in the form; `?until=` and
    `?custom=` the end.
    """
    now = timezone.now()
    users = request.GET.getlist("user")
    initial: dict[str, Any] = {"user_ids": " ".join(users), **filled_in(request.GET)}
    if channels := request.GET.getlist("channel"):
        initial["channels"] = channels
    form = MuteForm(request.POST or None, now=now, initial=initial)
    back = page_url(environment, "mutes:index")
    if not form.is_valid():
        context = {
            "title": gettext("Mute {whom}").format(whom=id_or_count(users))
            if users
            else gettext("Mute a user"),
            "form": form,
            "back": back,
            "action": request.get_full_path(),
            "reach": stakes.reach(environment=environment, user_ids=users, now=now)
            if users
            else None,
        }
        status = 422 if form.is_bound else 200
        return responses.dialog(request, "console/mutes/_dialog.html", context, status=status)
    user_ids = form.cleaned_data["user_ids"]
    for channel in form.cleaned_data["channels"]:
        mutes.impose(
            environment=environment,
            user_ids=user_ids,
            channel=Mute.Channel(channel),
            expires_at=form.cleaned_data["expires_at"],
            by=acting_staff(request),
            now=now,
        )
    return responses.done(
        request, gettext("Muted {whom}").format(whom=id_or_count(user_ids)), to=back, events=CHANGED
    )


@require_POST
@in_environment(Permission.MODERATE)
def mute_lift(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Lift the mutes of the posted users in the `?channel=` of the URL."""
    back = came_from(request, page_url(environment, "mutes:index"))
    # From the form, or from the URL if the search posts it.
    user_ids = request.POST.getlist("user") or request.GET.getlist("user")
    channel = _channel(request)
    if not user_ids or channel is None:
        return responses.refused(
            request, gettext("No mute is selected. Select some to lift."), back=back
        )
    now = timezone.now()
    try:
        wanted = identity.check_user_ids(user_ids)
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    in_force = list(
        mutes.in_channel(environment=environment, channel=channel, now=now).filter(
            user_id__in=wanted
        )
    )
    mutes.lift(
        environment=environment,
        user_ids=wanted,
        channel=channel,
        by=acting_staff(request),
        now=now,
    )
    message = (
        gettext("Lifted the mute of {whom}").format(
            whom=id_or_count([mute.user_id for mute in in_force])
        )
        if in_force
        else gettext("Nothing to lift. No longer muted: {whom}").format(whom=id_or_count(wanted))
    )
    undo = _undo_url(environment, in_force)
    return responses.done(request, message, to=back, events=CHANGED, undo=undo)


def _undo_url(environment: Environment, lifted: list[Mute]) -> str:
    """The URL that mutes the user again until the same end. Several mutes have no common end."""
    if len(lifted) != 1:
        return ""
    [mute] = lifted
    until = mute.expires_at.isoformat() if mute.expires_at else ""
    query = {"user": mute.user_id, "channel": mute.channel, "until": until}
    return page_url(environment, "mutes:undo_lift", query=query)


@require_POST
@in_environment(Permission.MODERATE)
def mute_undo_lift(request: MemberRequest, environment: Environment) -> HttpResponse:
    back = came_from(request, page_url(environment, "mutes:index"))
    user_id, channel = request.GET.get("user", ""), _channel(request)
    if channel is None:
        return responses.refused(request, gettext("Nothing to undo."), back=back)
    try:
        until = request.GET.get("until")
        mutes.impose(
            environment=environment,
            user_ids=[user_id],
            channel=channel,
            expires_at=datetime.fromisoformat(until) if until else None,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    except (ValueError, TypeError, mutes.InvalidMuteEnd):
        reason = gettext("Nothing to undo: the mute would be over by now.")
        return responses.refused(request, reason, back=back)
    message = gettext("Muted {user_id} again, until the same end as before").format(user_id=user_id)
    return responses.done(request, message, to=back, events=CHANGED)


def _channel(request: MemberRequest) -> Mute.Channel | None:
    wanted = request.GET.get("channel", "")
    return Mute.Channel(wanted) if wanted in Mute.Channel.values else None
