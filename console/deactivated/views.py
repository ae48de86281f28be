"""Deactivated users: who, when, by which call, what was erased, and the call that reactivates.

The console cannot deactivate or reactivate: with every vendor, only the API can.
"""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.keyset import Keyset
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from users import deactivation, identity
from users.models import DeactivatedUser

NEWEST_FIRST = Keyset("-deactivated_at", "-id")
BY_ID = Keyset("user_id")


@require_safe
@in_environment(Permission.VIEW)
def deactivated_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    prefix = request.GET.get("q", "").strip()
    found = DeactivatedUser.objects.filter(environment=environment)
    if prefix:
        found = found.with_prefix(prefix) if identity.is_prefix(prefix) else found.none()
    context = {
        "prefix": prefix,
        "found": responses.page(request, of=found, order=BY_ID if prefix else NEWEST_FIRST),
    }
    return responses.shown(
        request,
        "console/deactivated/index.html",
        context,
        fragment="console/deactivated/_list.html",
    )


@require_safe
@in_environment(Permission.VIEW)
def reactivation_call(
    request: MemberRequest, environment: Environment, user_id: str
) -> HttpResponse:
    tombstone = DeactivatedUser.objects.filter(environment=environment, user_id=user_id).first()
    if tombstone is None:
        raise Http404
    context = {
        "title": gettext("Reactivate {user_id}").format(user_id=user_id),
        "user_id": user_id,
        "possible_from": deactivation.reactivation_possible_from(
            environment=environment, tombstone=tombstone, now=timezone.now()
        ),
    }
    return responses.dialog(request, "console/deactivated/_reactivation.html", context)
