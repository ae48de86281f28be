"""A user's hosted profile, attributes, tags and waiting messages: a fragment that the user's page
loads, and a page without JavaScript.
"""

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
    """Accepts any id: ids that are not registered can have attributes and tags too."""
    subject: dict[str, Any] = {"environment": environment, "user_id": user_id}
    [tagged] = tags.tags_of(environment=environment, user_ids=[user_id]).values()
    profile = next(
        iter(hosted_profiles.get_many(environment=environment, user_ids=[user_id])), None
    )
    context = {
        "user_id": user_id,
        "profile": {**profile.basic, **profile.extended} if profile else {},
        "attributes": attributes.get(**subject),
        "tags": tagged,
        "waiting": messages.waiting_count(**subject, now=timezone.now()),
        "most_waiting": messages.MAX_WAITING,
    }
    return responses.shown(
        request,
        "console/users/personal_data.html",
        context,
        fragment="console/users/_personal_data.html",
    )
