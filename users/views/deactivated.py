"""Deactivated users: who, when, by which call, what was erased, and the call that reactivates.

There is no button for either: the vendors give deactivation to the API alone, and so do we.
"""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications import answers
from applications.access import MemberRequest, Permission, in_environment
from applications.keyset import Keyset
from applications.models import Environment
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
        "environment": environment,
        "access": request.access,
        "page": "deactivated_list",
        "prefix": prefix,
        "found": answers.page(request, of=found, order=BY_ID if prefix else NEWEST_FIRST),
    }
    return answers.shown(
        request,
        "users/deactivated_list.html",
        context,
        fragment="users/_deactivated_list.html",
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
        "environment": environment,
        "access": request.access,
        "page": "deactivated_list",
        "title": f"Reactivate {user_id}",
        "user_id": user_id,
        "possible_from": deactivation.reactivation_possible_from(
            environment=environment, tombstone=tombstone, now=timezone.now()
        ),
    }
    return answers.dialog(request, "users/_reactivation.html", context)
