"""A test user's lease and pin, on the user's page."""

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
from console.links import page_url
from console.templatetags.words import sentence
from console.users.forms import LeaseForm
from users import leases, pins
from users.models import AppUser
from users.tokens import UnknownUsers


def _page_of(environment: Environment, user_id: str) -> str:
    return page_url(environment, "users:detail", user_id)


def _done(
    request: MemberRequest, environment: Environment, user_id: str, message: str, *, undo: str = ""
) -> HttpResponse:
    return responses.done(
        request,
        message,
        to=_page_of(environment, user_id),
        events=["users-changed"],
        undo=page_url(environment, undo, user_id) if undo else "",
    )


def _refused(
    request: MemberRequest, environment: Environment, user_id: str, error: Exception
) -> HttpResponse:
    reason = (
        gettext("{user_id} is no longer registered. Nothing was changed").format(user_id=user_id)
        if isinstance(error, UnknownUsers)
        else error
    )
    return responses.refused(request, reason, back=_page_of(environment, user_id))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_USERS)
def user_lease(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """The dialog that gives a lease, moves its end, or takes it away."""
    if not environment.is_development:
        return _refused(request, environment, user_id, leases.LeasesInProduction())
    now = timezone.now()
    form = LeaseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        lasts = form.cleaned_data["lease"]
        try:
            leases.change(
                environment=environment,
                user_id=user_id,
                until=None if lasts is None else now + lasts,
                by=acting_staff(request),
                now=now,
            )
        except leases.InvalidLease as error:
            form.add_error("lease", sentence(error))
        except (UnknownUsers, leases.BeingDeleted) as error:
            return _refused(request, environment, user_id, error)
        else:
            message = (
                gettext("{user_id} has no lease").format(user_id=user_id)
                if lasts is None
                else gettext("Lease of {user_id} changed").format(user_id=user_id)
            )
            return _done(request, environment, user_id, message)
    users = AppUser.objects.in_environment(environment).select_related("place")
    context: dict[str, Any] = {
        "title": gettext("Lease of {user_id}").format(user_id=user_id),
        "user_id": user_id,
        "user": users.filter(user_id=user_id).first(),
        "form": form,
        "back": _page_of(environment, user_id),
    }
    return responses.dialog(
        request, "console/users/_lease.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@in_environment(Permission.MANAGE_USERS)
def user_pin(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    try:
        pins.pin(
            environment=environment, user_id=user_id, by=acting_staff(request), now=timezone.now()
        )
    except (leases.LeasesInProduction, UnknownUsers) as error:
        return _refused(request, environment, user_id, error)
    message = gettext("{user_id} is pinned: no plan and no lease deletes this user").format(
        user_id=user_id
    )
    return _done(request, environment, user_id, message, undo="users:unpin")


@require_POST
@in_environment(Permission.MANAGE_USERS)
def user_unpin(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    try:
        pins.unpin(
            environment=environment, user_id=user_id, by=acting_staff(request), now=timezone.now()
        )
    except (leases.LeasesInProduction, UnknownUsers) as error:
        return _refused(request, environment, user_id, error)
    message = gettext("{user_id} is no longer pinned").format(user_id=user_id)
    return _done(request, environment, user_id, message, undo="users:pin")
