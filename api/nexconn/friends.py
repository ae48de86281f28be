"""Nexconn's calls about friends."""

from typing import Any

from ninja import Body, Router

from api.fields import milliseconds
from api.nexconn import schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from users import friends, profiles
from users.models import FriendPermission

router = Router(tags=["Friends"])


@router.post("/v4/friend/add", response=Done)
def friend_add(request: Request, body: Body[schemas.FriendAdd]) -> Any:
    """Make two users friends, or ask the other where their permission says so."""
    caller = request.auth
    friends.add(
        environment=caller.environment,
        user_id=body.userId,
        friend_id=body.targetId,
        direct=body.action == 2,
        message=body.extra,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/friend/remove", response=Done)
def friend_remove(request: Request, body: Body[schemas.FriendRemove]) -> Any:
    """End these friendships, on both sides."""
    caller = request.auth
    friends.remove(
        environment=caller.environment,
        user_id=body.userId,
        friend_ids=body.targetIds,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/friend/remove-all", response=Done)
def friend_remove_all(request: Request, body: Body[schemas.User]) -> Any:
    """End all of a user's friendships."""
    caller = request.auth
    friends.remove_all(
        environment=caller.environment, user_id=body.userId, by=caller.actor, now=caller.now
    )
    return Done()


@router.post("/v4/friend/list", response=Answer[schemas.Friends])
def friend_list(request: Request, body: Body[schemas.FriendList]) -> Any:
    """A user's friends, by when they became friends."""
    environment = request.auth.environment
    page = friends.page(
        environment=environment,
        user_id=body.userId,
        cursor=body.pageToken or "",
        size=body.pageSize,
        newest_first=body.order == 1,
    )
    names = profiles.names_of(
        environment=environment, user_ids=[each.friend_id for each in page.rows]
    )
    shown = [
        schemas.Friend(
            userId=each.friend_id,
            name=names.get(each.friend_id, ""),
            alias=each.alias,
            friendExtProfile=each.extended,
            addedAt=milliseconds(each.added_at),
        )
        for each in page.rows
    ]
    total = friends.count(environment=environment, user_id=body.userId)
    return Answer(
        result=schemas.Friends(pageToken=page.next or "", totalCount=total, friends=shown)
    )


@router.post("/v4/friend/relationship/get", response=Answer[schemas.Relationships])
def relationship_get(request: Request, body: Body[schemas.RelationshipGet]) -> Any:
    """Which of these are the user's friends."""
    found = friends.friends_among(
        environment=request.auth.environment, user_id=body.userId, others=body.targetIds
    )
    shown = [
        schemas.Relationship(userId=user_id, result=4 if user_id in found else 1)
        for user_id in body.targetIds
    ]
    return Answer(result=schemas.Relationships(friendships=shown))


@router.post("/v4/friend/permission/set", response=Done)
def permission_set(request: Request, body: Body[schemas.PermissionSet]) -> Any:
    """Say who may become these users' friend."""
    caller = request.auth
    friends.set_permission(
        environment=caller.environment,
        user_ids=body.userIds,
        permission=FriendPermission(body.permissionType),
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/friend/permission/get", response=Answer[schemas.Permissions])
def permission_get(request: Request, body: Body[schemas.ManyUsers]) -> Any:
    """Who may become these users' friend."""
    found = friends.permissions(environment=request.auth.environment, user_ids=body.userIds)
    shown = [
        schemas.Permission(userId=user_id, permissionType=permission)
        for user_id, permission in found.items()
    ]
    return Answer(result=schemas.Permissions(permissions=shown))


@router.post("/v4/friend/profile/set", response=Done)
def friend_profile_set(request: Request, body: Body[schemas.FriendProfileSet]) -> Any:
    """What a user calls a friend, and further fields of their own about them."""
    caller = request.auth
    friends.describe(
        environment=caller.environment,
        user_id=body.userId,
        friend_id=body.targetId,
        alias=body.alias or "",
        extended=body.friendExtProfile,
        by=caller.actor,
        now=caller.now,
    )
    return Done()
