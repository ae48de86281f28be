"""A user's friends: a part of their page that loads itself, and without JavaScript a page."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from applications import answers
from applications.access import MemberRequest, Permission, in_environment
from applications.models import Environment
from users import friends
from users.models import AppUser, FriendPermission, FriendRequest, Friendship

SHOWN = 10
MOST_REQUESTS = 10  # shown; who waits longest stands first


@require_safe
@in_environment(Permission.VIEW)
def user_friends(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """Of an id: who is not registered has none."""
    found = answers.page(
        request,
        of=Friendship.objects.of(environment, user_id),
        order=friends.NEWEST_FIRST,
        size=SHOWN,
    )
    users = AppUser.objects.in_environment(environment)
    asking = FriendRequest.objects.filter(environment=environment, recipient_id=user_id)
    ids = [user_id, *(friendship.friend_id for friendship in found.rows)]
    known = {user.user_id: user for user in users.filter(user_id__in=ids)}
    context = {
        "environment": environment,
        "access": request.access,
        "page": "user_list",
        "user_id": user_id,
        "found": found,
        "rows": [(each, known.get(each.friend_id)) for each in found.rows],
        "asking": asking.order_by("pk")[:MOST_REQUESTS],
        "permission": FriendPermission(known[user_id].friend_permission).label
        if user_id in known
        else "",
    }
    return answers.shown(request, "users/friends.html", context, fragment="users/_friends.html")
