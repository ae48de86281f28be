"""What is kept about a user beside name and avatar: a part of their page that loads itself."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications import answers
from applications.access import MemberRequest, Permission, in_environment
from applications.models import Environment
from users import attributes, hosted_profiles, messages, tags


@require_safe
@in_environment(Permission.VIEW)
def user_belongings(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """Of an id: attributes and tags are kept for ids that are not registered as well."""
    of_user: dict[str, Any] = {"environment": environment, "user_id": user_id}
    [tagged] = tags.tags_of(environment=environment, user_ids=[user_id]).values()
    profile = next(
        iter(hosted_profiles.of_users(environment=environment, user_ids=[user_id])), None
    )
    context = {
        "environment": environment,
        "access": request.access,
        "page": "user_list",
        "user_id": user_id,
        "profile": {**profile.basic, **profile.extended} if profile else {},
        "attributes": attributes.of_user(**of_user),
        "tags": tagged,
        "waiting": messages.waiting_count(**of_user, now=timezone.now()),
        "most_waiting": messages.MAX_WAITING,
    }
    return answers.shown(
        request, "users/belongings.html", context, fragment="users/_belongings.html"
    )
