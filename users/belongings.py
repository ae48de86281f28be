"""What this storey itself erases when a user goes; wired in `users.apps`."""

from typing import Any

from django.db.models import Q

from applications.models import Environment
from users.erasure import Occasion
from users.models import (
    Attributes,
    FriendRequest,
    Friendship,
    Message,
    Remark,
    Status,
    StatusSubscription,
    UserTags,
)


def erase(
    *, environment: Environment, user_ids: list[str], occasion: Occasion, **_: Any
) -> dict[str, int]:
    """All of it is the person's own, whatever the occasion; only what others call a deactivated
    user is theirs.
    """
    here = {"environment": environment}
    remarks = Q(owner_id__in=user_ids)
    if occasion is Occasion.DELETION:
        remarks |= Q(about_id__in=user_ids)
    doomed = {
        "friends": Friendship.objects.filter(owner_id__in=user_ids, **here),
        "friends' sides": Friendship.objects.filter(friend_id__in=user_ids, **here),
        "friend requests": FriendRequest.objects.filter(
            Q(sender_id__in=user_ids) | Q(recipient_id__in=user_ids), **here
        ),
        "messages": Message.objects.filter(
            Q(sender_id__in=user_ids) | Q(recipient_id__in=user_ids), **here
        ),
        "tags": UserTags.objects.filter(owner_id__in=user_ids, **here),
        "attributes": Attributes.objects.filter(owner_id__in=user_ids, **here),
        "remarks": Remark.objects.filter(remarks, **here),
        "statuses": Status.objects.filter(owner_id__in=user_ids, **here),
        "status subscriptions": StatusSubscription.objects.filter(
            Q(owner_id__in=user_ids) | Q(about_id__in=user_ids), **here
        ),
    }
    erased = {word: rows.delete()[0] for word, rows in doomed.items()}
    del erased["friends' sides"]  # the same friendships, counted once
    return erased
