"""RongCloud's calls about friends."""

import json
from typing import Any

from ninja import Form, Router

from api.fields import milliseconds
from api.rongcloud import auth, schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from users import friends, profiles
from users.models import FriendPermission

router = Router(tags=["Friends"])


@router.post("/friend/add.json", response=Done)
def friend_add(request: Request, form: Form[schemas.FriendAdd]) -> Any:
    """Make two users friends, or ask the other where their permission says so."""
    caller = request.auth
    friends.add(
        environment=caller.environment,
        user_id=form.userId,
        friend_id=form.targetId,
        direct=form.optType == "2",
        message=form.extra,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/friend/delete.json", response=Done)
def friend_delete(request: Request, form: Form[schemas.FriendDelete]) -> Any:
    """End these friendships, on both sides."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(form.ids))
    friends.remove(
        environment=caller.environment,
        user_id=form.userId,
        friend_ids=form.ids,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/friend/clean.json", response=Done)
def friend_clean(request: Request, form: Form[schemas.User]) -> Any:
    """End all friendships of a user."""
    caller = request.auth
    friends.remove_all(
        environment=caller.environment, user_id=form.userId, by=caller.actor, now=caller.now
    )
    return Done()


@router.post("/friend/get.json", response=schemas.Friends, exclude_none=True)
def friend_get(request: Request, form: Form[schemas.FriendGet]) -> Any:
    """A user's friends, by when they became friends."""
    environment = request.auth.environment
    page = friends.page(
        environment=environment,
        user_id=form.userId,
        cursor=form.pageToken,
        size=form.size,
        newest_first=form.order == "1",
    )
    names = profiles.names_of(
        environment=environment, user_ids=[each.friend_id for each in page.rows]
    )
    return schemas.Friends(
        pageToken=page.next,
        totalCount=friends.count(environment=environment, user_id=form.userId),
        friendList=[
            schemas.Friend(
                userId=each.friend_id,
                name=names.get(each.friend_id, ""),
                remarkName=each.alias,
                friendExtProfile=json.dumps(each.extended, ensure_ascii=False),
                time=milliseconds(each.added_at),
            )
            for each in page.rows
        ],
    )


@router.post("/friend/check.json", response=schemas.FriendChecks)
def friend_check(request: Request, form: Form[schemas.FriendTargets]) -> Any:
    """Which of these are the user's friends."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(form.targetIds))
    found = friends.friends_among(
        environment=caller.environment, user_id=form.userId, others=form.targetIds
    )
    return schemas.FriendChecks(
        results=[
            schemas.FriendCheck(userId=user_id, result=4 if user_id in found else 1)
            for user_id in form.targetIds
        ]
    )


@router.post("/friend/profile/set.json", response=Done)
def friend_profile_set(request: Request, form: Form[schemas.FriendProfileSet]) -> Any:
    """What a user calls a friend, and further fields of their own about them."""
    caller = request.auth
    friends.describe(
        environment=caller.environment,
        user_id=form.userId,
        friend_id=form.targetId,
        alias=form.remarkName,
        extended=form.friendExtProfile,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/friend/permission/set.json", response=Done)
def permission_set(request: Request, form: Form[schemas.PermissionSet]) -> Any:
    """Say who may become these users' friend."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(form.userIds))
    friends.set_permission(
        environment=caller.environment,
        user_ids=form.userIds,
        permission=FriendPermission(int(form.permissionType)),
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/friend/permission/get.json", response=schemas.Permissions)
def permission_get(request: Request, form: Form[schemas.PermissionGet]) -> Any:
    """Who may become these users' friend."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(form.userIds))
    found = friends.permissions(environment=caller.environment, user_ids=form.userIds)
    return schemas.Permissions(
        permissionSettings=[
            schemas.Permission(userId=user_id, type=permission)
            for user_id, permission in found.items()
        ]
    )
