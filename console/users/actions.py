"""What staff do with one user, on the user's page: each is a dialog, a button, or both."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import sentence
from console.users.forms import ExpireTokensForm, ProfileForm
from moderation import stakes
from users import deletion, presence, profiles, tokens, undo
from users.models import AppUser
from users.tokens import UnknownUsers

dialog_methods = require_http_methods(["GET", "HEAD", "POST"])


def _page_of(environment: Environment, user_id: str) -> str:
    return page_url(environment, "users:detail", user_id)


def _context(environment: Environment, user_id: str, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "user_id": user_id,
        "back": _page_of(environment, user_id),
    }


def _gone(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """The page was stale: somebody deleted or deactivated the user meanwhile."""
    users = page_url(environment, "users:index")
    message = gettext("{user_id} is no longer registered. Nothing was changed").format(
        user_id=user_id
    )
    return responses.moved(request, message, to=users, tone="error")


def _changed(
    request: MemberRequest, environment: Environment, user_id: str, message: str
) -> HttpResponse:
    return responses.done(
        request, message, to=_page_of(environment, user_id), events=["users-changed"]
    )


@dialog_methods
@in_environment(Permission.MANAGE_USERS)
def user_edit(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    user = AppUser.objects.in_environment(environment).filter(user_id=user_id).first()
    if user is None:
        return _gone(request, environment, user_id)
    if request.method == "POST":
        form = ProfileForm(request.POST)
    else:
        form = ProfileForm(initial={"name": user.name, "avatar_url": user.avatar_url})
    if form.is_valid():
        try:
            profiles.update(
                environment=environment,
                user_id=user_id,
                by=acting_staff(request),
                now=timezone.now(),
                name=form.cleaned_data["name"],
                avatar_url=form.cleaned_data["avatar_url"],
            )
        except UnknownUsers:
            return _gone(request, environment, user_id)
        return _changed(request, environment, user_id, f"{user_id} updated")
    context = {
        **_context(environment, user_id, gettext("Edit {user_id}").format(user_id=user_id)),
        "form": form,
    }
    return responses.dialog(
        request, "console/users/_edit.html", context, status=422 if form.is_bound else 200
    )


@dialog_methods
@in_environment(Permission.MANAGE_USERS)
def user_sign_out(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    if request.method == "POST":
        try:
            tokens.sign_out_everywhere(
                environment=environment,
                user_id=user_id,
                by=acting_staff(request),
                now=timezone.now(),
            )
        except UnknownUsers:
            return _gone(request, environment, user_id)
        return _changed(
            request,
            environment,
            user_id,
            gettext("{user_id} is signed out everywhere").format(user_id=user_id),
        )
    now = timezone.now()
    context = {
        **_context(
            environment, user_id, gettext("Sign {user_id} out everywhere").format(user_id=user_id)
        ),
        "milliseconds": int(now.timestamp() * 1000),
        "reach": stakes.reach(environment=environment, user_ids=[user_id], now=now),
    }
    return responses.dialog(request, "console/users/_sign_out.html", context)


@dialog_methods
@in_environment(Permission.MANAGE_USERS)
def user_expire_tokens(
    request: MemberRequest, environment: Environment, user_id: str
) -> HttpResponse:
    now = timezone.now()
    form = ExpireTokensForm(
        request.POST if request.method == "POST" else None, initial={"before": now}
    )
    if form.is_valid():
        before = form.cleaned_data["before"]
        try:
            unknown = tokens.expire(
                environment=environment,
                user_ids=[user_id],
                before=before,
                by=acting_staff(request),
                now=now,
            )
        except tokens.TimeInFuture as error:
            form.add_error("before", sentence(error))
        else:
            if unknown:
                return _gone(request, environment, user_id)
            moment = f"{before:%Y-%m-%d %H:%M:%S} UTC"
            message = gettext("Tokens of {user_id} issued before {moment} are now invalid").format(
                user_id=user_id, moment=moment
            )
            return _changed(request, environment, user_id, message)
    title = gettext("Expire access tokens of {user_id}").format(user_id=user_id)
    context = {
        **_context(environment, user_id, title),
        "form": form,
        "milliseconds": int(now.timestamp() * 1000),
    }
    return responses.dialog(
        request, "console/users/_expire_tokens.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@in_environment(Permission.MODERATE)
def user_kick(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    count = presence.kick(
        environment=environment, user_id=user_id, by=acting_staff(request), now=timezone.now()
    )
    message = (
        ngettext(
            "{count} connection of {user_id} will close now",
            "{count} connections of {user_id} will close now",
            count,
        ).format(count=count, user_id=user_id)
        if count
        else gettext("{user_id} has no open connection").format(user_id=user_id)
    )
    return _changed(request, environment, user_id, message)


@dialog_methods
@in_environment(Permission.MANAGE_USERS)
def user_delete(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """The user's id, typed, confirms the deletion."""
    if not environment.is_development:
        reason = deletion.NotInProduction()
        return responses.refused(request, reason, back=_page_of(environment, user_id))
    now = timezone.now()
    confirmed = request.POST.get("confirm", "").strip() == user_id
    if request.method == "POST" and confirmed:
        try:
            deletion.delete(
                environment=environment,
                user_ids=[user_id],
                by=acting_staff(request),
                now=now,
            )
        except UnknownUsers:
            return _gone(request, environment, user_id)
        users = page_url(environment, "users:index")
        deleted = undo.last_life(environment=environment, user_id=user_id, now=now)
        undo_url = page_url(environment, "quota:undo", deleted.pk) if deleted else ""
        return responses.moved(
            request,
            gettext("{user_id} was deleted").format(user_id=user_id),
            to=users,
            undo=undo_url,
        )
    wrong = request.method == "POST"
    context = {
        **_context(environment, user_id, gettext("Delete {user_id}").format(user_id=user_id)),
        "error": gettext("Type {user_id} to delete this user.").format(user_id=user_id)
        if wrong
        else "",
        "reach": stakes.reach(environment=environment, user_ids=[user_id], now=now),
    }
    return responses.dialog(
        request, "console/users/_delete.html", context, status=422 if wrong else 200
    )
