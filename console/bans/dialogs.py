"""The dialogs that impose and change bans. They are the same on every page.

Without JavaScript, a dialog returns to the Bans page, or with `?back=user` to the user's page.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import api_calls, responses
from console.access import MemberRequest, in_environment
from console.bans.forms import (
    ChangeForm,
    ChangeSeveralForm,
    EndForm,
    ImposeForm,
    filled_in,
)
from console.identities import get_identities, id_or_count
from console.links import page_url
from moderation import bans, stakes
from moderation.models import Ban
from users import identity

dialog_methods = require_http_methods(["GET", "HEAD", "POST"])

# The preview lists at most this many users with a note about each.
PREVIEWED = 5
# The dialog suggests at most SUGGESTED reasons, taken from the latest RECENT bans.
RECENT = 100
SUGGESTED = 8


def _back(request: MemberRequest, environment: Environment, user_id: str = "") -> str:
    if user_id and request.GET.get("back") == "user" and identity.is_prefix(user_id):
        return page_url(environment, "users:detail", user_id)
    return page_url(environment, "bans:index")


def _ask(
    request: MemberRequest,
    environment: Environment,
    form: EndForm,
    title: str,
    *,
    submit: str,
    back: str,
) -> HttpResponse:
    """The dialog with this form. The status is 422 if the form has errors."""
    latest = Ban.objects.in_environment(environment).order_by("-pk")[:RECENT]
    reasons = dict.fromkeys(ban.reason for ban in latest if ban.reason)
    given = {field.name: field.value() for field in form}
    context = {
        "title": title,
        "form": form,
        "submit": submit,
        "back": back,
        "icon": "ban" if submit == "Ban" else "calendar-clock",
        "action": request.get_full_path(),
        "reasons": list(reasons)[:SUGGESTED],
        # An error of the end is already shown beside its field.
        "preview": {} if "custom" in form.errors else _preview(environment, given, form.now),
    }
    status = 422 if form.is_bound else 200
    return responses.dialog(request, "console/bans/_dialog.html", context, status=status)


def _done(request: MemberRequest, message: str, *, back: str, undo: str = "") -> HttpResponse:
    return responses.done(request, message, to=back, events=["bans-changed"], undo=undo)


@dialog_methods
@in_environment(Permission.MODERATE)
def ban_impose(request: MemberRequest, environment: Environment) -> HttpResponse:
    """`?user=` or `?user_id=`, once or several times, fills in the user ids; `?until=`, `?custom=`
    and `?reason=` the other fields.
    """
    now = timezone.now()
    users = request.GET.getlist("user") or request.GET.getlist("user_id")
    back = _back(request, environment, *users[:1])
    form = ImposeForm(
        request.POST or None,
        environment=environment,
        now=now,
        initial={"user_ids": " ".join(users), **filled_in(request.GET)},
    )
    if not form.is_valid():
        title = (
            gettext("Ban {whom}").format(whom=id_or_count(users))
            if users
            else gettext("Ban a user")
        )
        return _ask(request, environment, form, title, submit=gettext("Ban"), back=back)
    imposed = bans.impose(
        environment=environment,
        user_ids=form.cleaned_data["user_ids"],
        expires_at=form.cleaned_data["expires_at"],
        reason=form.cleaned_data["reason"],
        tell_reason=form.cleaned_data["tell_reason"],
        by=acting_staff(request),
        now=now,
    )
    user_ids = [ban.user_id for ban in imposed]
    # Undo lifts the bans. It could not bring back the old end of a ban that was changed.
    all_new = all(ban.banned_since == now for ban in imposed)
    undo = page_url(environment, "bans:lift", query={"user": user_ids}) if all_new else ""
    return _done(
        request, gettext("Banned {whom}").format(whom=id_or_count(user_ids)), back=back, undo=undo
    )


@dialog_methods
@in_environment(Permission.MODERATE)
def ban_change(request: MemberRequest, environment: Environment, ban_id: int) -> HttpResponse:
    now = timezone.now()
    ban = Ban.objects.filter(environment=environment, pk=ban_id).first()
    if ban is None:
        raise Http404
    back = _back(request, environment, ban.user_id)
    if not ban.is_in_force(now):
        return _over(request, environment, ban, now)
    form = ChangeForm(request.POST or None, environment=environment, now=now, initial=_initial(ban))
    if not form.is_valid():
        title = gettext("Change the ban of {user_id}").format(user_id=ban.user_id)
        return _ask(request, environment, form, title, submit=gettext("Change"), back=back)
    try:
        bans.change(
            environment=environment,
            ban_id=ban_id,
            expires_at=form.cleaned_data["expires_at"],
            reason=form.cleaned_data["reason"],
            tell_reason=form.cleaned_data["tell_reason"],
            by=acting_staff(request),
            now=now,
        )
    except bans.BanOver:
        return _over(request, environment, ban, now)
    return _done(
        request, gettext("Changed the ban of {user_id}").format(user_id=ban.user_id), back=back
    )


def _initial(ban: Ban) -> dict[str, Any]:
    common = {"user_ids": ban.user_id, "reason": ban.reason, "tell_reason": ban.tell_reason}
    if ban.expires_at is None:
        return {**common, "until": "permanent"}
    return {**common, "until": "custom", "custom": f"{ban.expires_at:%Y-%m-%d %H:%M:%S}Z"}


def _over(
    request: MemberRequest, environment: Environment, ban: Ban, now: datetime
) -> HttpResponse:
    """The ban has ended, or somebody lifted or changed it: the dialog says which."""
    ban.refresh_from_db()
    current = Ban.objects.in_force(now).filter(environment=environment, user_id=ban.user_id).first()
    title = gettext("Change the ban of {user_id}").format(user_id=ban.user_id)
    return responses.dialog(
        request,
        "console/bans/_over.html",
        {
            "title": title,
            "ban": ban,
            "current": current,
            "back": _back(request, environment, ban.user_id),
            "again_url": page_url(
                environment,
                "bans:impose",
                query={"user": ban.user_id, "back": request.GET.get("back", "")},
            ),
        },
        status=422 if request.method == "POST" else 200,
    )


@dialog_methods
@in_environment(Permission.MODERATE)
def ban_change_several(request: MemberRequest, environment: Environment) -> HttpResponse:
    """`?user=`, once or several times, fills in the ids whose bans to change."""
    now = timezone.now()
    back = _back(request, environment)
    users = " ".join(request.GET.getlist("user"))
    form = ChangeSeveralForm(
        request.POST or None, environment=environment, now=now, initial={"user_ids": users}
    )
    title = gettext("Change several bans")
    if not form.is_valid():
        return _ask(request, environment, form, title, submit=gettext("Change"), back=back)
    user_ids = form.cleaned_data["user_ids"]
    try:
        bans.change_several(
            environment=environment,
            user_ids=user_ids,
            expires_at=form.cleaned_data["expires_at"],
            reason=form.cleaned_data["reason"] or None,
            tell_reason=form.cleaned_data["tell_reason"],
            by=acting_staff(request),
            now=now,
        )
    except bans.BanOver as error:
        over = ", ".join(error.user_ids)
        form.add_error(
            "user_ids",
            gettext("No longer banned: {over}. Nothing was changed. Remove them.").format(
                over=over
            ),
        )
        return _ask(request, environment, form, title, submit=gettext("Change"), back=back)
    except stakes.ReasonNeeded as error:
        form.add_error(
            "reason", gettext("{error} Some of these bans have none.").format(error=error)
        )
        return _ask(request, environment, form, title, submit=gettext("Change"), back=back)
    return _done(
        request, gettext("Changed the ban of {whom}").format(whom=id_or_count(user_ids)), back=back
    )


@require_safe
@in_environment(Permission.MODERATE)
def ban_preview(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The exact end and what it means for each user, shown while the form is filled in."""
    preview = _preview(environment, request.GET.dict(), timezone.now())
    context = {"title": gettext("When this ban would end"), "preview": preview}
    return responses.dialog(request, "console/bans/_preview.html", context)


def _preview(environment: Environment, given: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The preview of an incomplete form. Values that are not valid yet are left out."""
    end = EndForm({name: given.get(name) or "" for name in EndForm.base_fields}, now=now)
    if not end.is_valid():
        return {"mistake": end.errors["custom"][0] if given.get("custom") else ""}
    expires_at = end.cleaned_data["expires_at"]
    user_ids = _named_ids(given)
    return {
        "is_end": True,
        "expires_at": expires_at,
        "lasts": expires_at - now if expires_at else None,
        "stakes_are_high": stakes.are_high(
            environment=environment, user_ids=user_ids, expires_at=expires_at
        ),
        "reach": stakes.reach(environment=environment, user_ids=user_ids, now=now),
        "notes": _notes(environment, user_ids, expires_at, now),
        "user_ids": user_ids,
        "minutes": api_calls.minutes(expires_at - now if expires_at else None),
    }


def _named_ids(given: dict[str, Any]) -> list[str]:
    try:
        named_ids: list[str] = ImposeForm.base_fields["user_ids"].clean(given.get("user_ids") or "")
    except ValidationError:
        return []
    return named_ids


def _notes(
    environment: Environment, named_ids: list[str], expires_at: datetime | None, now: datetime
) -> list[dict[str, Any]]:
    """Notes on ids that are already banned, not registered or deactivated."""
    in_force = Ban.objects.in_force(now).filter(environment=environment, user_id__in=named_ids)
    banned = {ban.user_id: ban for ban in in_force}
    identities = get_identities(environment=environment, user_ids=named_ids)
    notes = [
        {
            "user": identities[user_id],
            "ban": banned.get(user_id),
            **_difference(banned.get(user_id), expires_at),
        }
        for user_id in named_ids
        if user_id in banned or identities[user_id].state
    ]
    rest = len(notes) - PREVIEWED
    return [*notes[:PREVIEWED], {"rest": rest}] if rest > 0 else notes


def _difference(ban: Ban | None, expires_at: datetime | None) -> dict[str, timedelta]:
    """How much later or sooner the ban will end. Empty if the old or the new ban is permanent."""
    if ban is None or ban.expires_at is None or expires_at is None:
        return {}
    difference = expires_at - ban.expires_at
    if abs(difference) < timedelta(seconds=1):
        return {}
    return {"later": difference} if difference > timedelta(0) else {"sooner": -difference}
