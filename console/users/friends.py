"""A user's friends: a fragment that the user's page loads, and without JavaScript a page."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.access import Permission
from applications.keyset import Keyset
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import sentence
from users import friend_permissions, friends, identity
from users.models import AppUser, FriendPermission, FriendRequest, Friendship
from users.tokens import UnknownUsers

NEWEST_FIRST = Keyset("-id")
SHOWN = 10
MOST_REQUESTS = 10  # shown, oldest first
CHANGED = ["friends-changed"]


@require_safe
@in_environment(Permission.VIEW)
def user_friends(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """Accepts any id. An id that is not registered has no friends."""
    found = responses.page(
        request,
        of=Friendship.objects.of(environment, user_id),
        order=NEWEST_FIRST,
        size=SHOWN,
    )
    users = AppUser.objects.in_environment(environment)
    requests = FriendRequest.objects.filter(environment=environment).order_by("pk")
    ids = [user_id, *(friendship.friend_id for friendship in found.rows)]
    known = {user.user_id: user for user in users.filter(user_id__in=ids)}
    context = {
        "user_id": user_id,
        "found": found,
        "rows": [(each, known.get(each.friend_id)) for each in found.rows],
        "asking": requests.filter(recipient_id=user_id)[:MOST_REQUESTS],
        "asked": requests.filter(sender_id=user_id)[:MOST_REQUESTS],
        "permission": known[user_id].friend_permission if user_id in known else None,
        "permissions": FriendPermission.choices,
    }
    return responses.shown(
        request, "console/users/friends.html", context, fragment="console/users/_friends.html"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_USERS)
def friend_remove(
    request: MemberRequest, environment: Environment, user_id: str, friend_id: str
) -> HttpResponse:
    """Asks for confirmation, because the aliases that the two have for each other are lost."""
    here = page_url(environment, "users:friends", user_id)
    if request.method != "POST":
        context = {
            "user_id": user_id,
            "title": gettext("Remove {friend_id}").format(friend_id=friend_id),
            "friend_id": friend_id,
            "back": here,
        }
        return responses.dialog(request, "console/users/_friend_remove.html", context)
    try:
        removed = friends.remove(
            environment=environment,
            user_id=user_id,
            friend_ids=[friend_id],
            by=acting_staff(request),
            now=timezone.now(),
        )
    except UnknownUsers:
        removed = []
    message = (
        gettext("{user_id} and {friend_id} are no longer friends").format(
            user_id=user_id, friend_id=friend_id
        )
        if removed
        else gettext("{user_id} and {friend_id} were not friends").format(
            user_id=user_id, friend_id=friend_id
        )
    )
    return responses.done(request, message, to=here, events=CHANGED)


@require_POST
@in_environment(Permission.MANAGE_USERS)
def friend_permission(
    request: MemberRequest, environment: Environment, user_id: str
) -> HttpResponse:
    """Set who may become the user's friend: `permission` is a number of `FriendPermission`."""
    here = page_url(environment, "users:friends", user_id)
    chosen = request.POST.get("permission", "")
    if chosen not in map(str, FriendPermission.values):
        return responses.refused(request, gettext("Choose who may become a friend."), back=here)
    permission = FriendPermission(int(chosen))
    try:
        friend_permissions.change(
            environment=environment,
            user_ids=[user_id],
            permission=permission,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except (UnknownUsers, identity.InvalidUserId) as error:
        return responses.refused(request, sentence(error), back=here)
    message = gettext("Friends of {user_id}: {text}").format(
        user_id=user_id, text=permission.label.lower()
    )
    return responses.done(request, message, to=here, events=CHANGED)


@require_POST
@in_environment(Permission.MANAGE_USERS)
def friend_add(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """Make the user and the posted `friend_id` friends at once, without a request."""
    here = page_url(environment, "users:friends", user_id)
    friend_id = request.POST.get("friend_id", "")
    try:
        friends.add(
            environment=environment,
            user_id=user_id,
            friend_id=friend_id,
            by=acting_staff(request),
            now=timezone.now(),
            direct=True,
        )
    except (UnknownUsers, identity.InvalidUserId) as error:
        return responses.refused(request, sentence(error), back=here)
    except (friends.BefriendsOneself, friends.TooManyFriends) as error:
        return responses.refused(request, error, back=here)
    message = gettext("{user_id} and {friend_id} are now friends").format(
        user_id=user_id, friend_id=friend_id
    )
    return responses.done(request, message, to=here, events=CHANGED)


@require_POST
@in_environment(Permission.MANAGE_USERS)
def friend_answer(
    request: MemberRequest, environment: Environment, user_id: str, sender_id: str
) -> HttpResponse:
    """Answer a friend request for the user. `answer` is "accept" or "decline"."""
    here = page_url(environment, "users:friends", user_id)
    accept = request.POST.get("answer") == "accept"
    try:
        friends.answer(
            environment=environment,
            user_id=user_id,
            sender_id=sender_id,
            accept=accept,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except friends.NoSuchRequest:
        message = gettext("{user_id} has no request from {sender_id}. Nothing was changed").format(
            user_id=user_id, sender_id=sender_id
        )
        return responses.done(request, message, to=here, events=CHANGED, tone="error")
    except friends.TooManyFriends as error:
        return responses.refused(request, error, back=here)
    message = (
        gettext("{user_id} and {sender_id} are now friends").format(
            user_id=user_id, sender_id=sender_id
        )
        if accept
        else gettext("Declined the request of {sender_id}").format(sender_id=sender_id)
    )
    return responses.done(request, message, to=here, events=CHANGED)
