"""What is kept about a user beside name and avatar: a part of their page that loads itself."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from users import attributes, hosted_profiles, messages, tags


@require_safe
@in_environment(Permission.VIEW)
def personal_data(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """Of an id: attributes and tags are kept for ids that are not registered as well."""
    of_user: dict[str, Any] = {"environment": environment, "user_id": user_id}
    [tagged] = tags.tags_of(environment=environment, user_ids=[user_id]).values()
    profile = next(
        iter(hosted_profiles.get_many(environment=environment, user_ids=[user_id])), None
    )
    context = {
        "user_id": user_id,
        "profile": {**profile.basic, **profile.extended} if profile else {},
        "attributes": attributes.get(**of_user),
        "tags": tagged,
        "waiting": messages.waiting_count(**of_user, now=timezone.now()),
        "most_waiting": messages.MAX_WAITING,
    }
    return responses.shown(
        request,
        "console/users/personal_data.html",
        context,
        fragment="console/users/_personal_data.html",
    )
