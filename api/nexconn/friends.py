"""Nexconn's calls about friends."""

from typing import Any

from ninja import Body, Router

from api import calls
from api.fields import milliseconds
from api.nexconn import schemas
from api.nexconn.auth import LIMITS
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from users import friends
from users.models import FriendPermission

router = Router(tags=["Friends"])


@router.post("/v4/friend/add", response=Done)
def friend_add(request: Request, body: Body[schemas.FriendAdd]) -> Any:
    """Make two users friends, or ask the other where their permission says so."""
    friends.add(
        **request.auth.who_and_when,
        user_id=body.userId,
        friend_id=body.targetId,
        direct=body.action == 2,
        message=body.extra,
    )
    return Done()


@router.post("/v4/friend/remove", response=Done)
def friend_remove(request: Request, body: Body[schemas.FriendRemove]) -> Any:
    """End these friendships, on both sides."""
    LIMITS.count_users(request.auth, len(body.targetIds))
    friends.remove(**request.auth.who_and_when, user_id=body.userId, friend_ids=body.targetIds)
    return Done()


@router.post("/v4/friend/remove-all", response=Done)
def friend_remove_all(request: Request, body: Body[schemas.User]) -> Any:
    """End all of a user's friendships."""
    friends.remove_all(**request.auth.who_and_when, user_id=body.userId)
    return Done()


@router.post("/v4/friend/list", response=Answer[schemas.Friends])
def friend_list(request: Request, body: Body[schemas.FriendList]) -> Any:
    """A user's friends, by when they became friends."""
    page = calls.friends_page(
        request.auth,
        body.userId,
        cursor=body.pageToken or "",
        size=body.pageSize,
        newest_first=body.order == 1,
    )
    shown = [
        schemas.Friend(
            userId=each.friend_id,
            name=name,
            alias=each.alias,
            friendExtProfile=each.extended,
            addedAt=milliseconds(each.added_at),
        )
        for each, name in page.rows
    ]
    return Answer(result=schemas.Friends(pageToken=page.next, totalCount=page.total, friends=shown))


@router.post("/v4/friend/relationship/get", response=Answer[schemas.Relationships])
def relationship_get(request: Request, body: Body[schemas.RelationshipGet]) -> Any:
    """Which of these are the user's friends."""
    LIMITS.count_users(request.auth, len(body.targetIds))
    shown = [
        schemas.Relationship(userId=user_id, result=each)
        for user_id, each in calls.relations(request.auth, body.userId, body.targetIds)
    ]
    return Answer(result=schemas.Relationships(friendships=shown))


@router.post("/v4/friend/permission/set", response=Done)
def permission_set(request: Request, body: Body[schemas.PermissionSet]) -> Any:
    """Say who may become these users' friend."""
    LIMITS.count_users(request.auth, len(body.userIds))
    permission = FriendPermission(body.permissionType)
    friends.set_permission(
        **request.auth.who_and_when, user_ids=body.userIds, permission=permission
    )
    return Done()


@router.post("/v4/friend/permission/get", response=Answer[schemas.Permissions])
def permission_get(request: Request, body: Body[schemas.ManyUsers]) -> Any:
    """Who may become these users' friend."""
    LIMITS.count_users(request.auth, len(body.userIds))
    found = friends.permissions(environment=request.auth.environment, user_ids=body.userIds)
    shown = [
        schemas.Permission(userId=user_id, permissionType=permission)
        for user_id, permission in found.items()
    ]
    return Answer(result=schemas.Permissions(permissions=shown))


@router.post("/v4/friend/profile/set", response=Done)
def friend_profile_set(request: Request, body: Body[schemas.FriendProfileSet]) -> Any:
    """What a user calls a friend, and further fields of their own about them."""
    friends.describe(
        **request.auth.who_and_when,
        user_id=body.userId,
        friend_id=body.targetId,
        alias=body.alias or "",
        extended=body.friendExtProfile,
    )
    return Done()
