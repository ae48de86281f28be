"""RongCloud's calls about friends."""

from collections.abc import Sequence

from api.calls import friends
from api.rongcloud import schemas
from api.tables import Call
from api.vendor import Caller


def remove(caller: Caller, user_id: str, target_ids: Sequence[str], target_id: str | None) -> None:
    """End these friendships, on both sides."""
    friends.remove(caller, user_id, [*target_ids, *([target_id] if target_id else [])])


CALLS = (
    Call("/friend/add.json", friends.add, schemas.FriendAdd),
    Call("/friend/delete.json", remove, schemas.FriendDelete),
    Call("/friend/clean.json", friends.remove_all, schemas.User),
    Call("/friend/get.json", friends.page, schemas.FriendGet, schemas.Friends),
    Call("/friend/check.json", friends.relations, schemas.FriendTargets, schemas.FriendChecks),
    Call("/friend/profile/set.json", friends.describe, schemas.FriendProfileSet),
    Call("/friend/permission/set.json", friends.set_permission, schemas.PermissionSet),
    Call(
        "/friend/permission/get.json",
        friends.permissions,
        schemas.PermissionGet,
        schemas.Permissions,
    ),
)
