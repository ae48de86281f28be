"""RongCloud's calls about friends."""

import json
from typing import Any

from ninja import Form, Router

from api import calls
from api.fields import milliseconds
from api.rongcloud import schemas
from api.rongcloud.auth import LIMITS
from api.rongcloud.wire import Done
from api.vendor import Request
from users import friends
from users.models import FriendPermission

router = Router(tags=["Friends"])


@router.post("/friend/add.json", response=Done)
def friend_add(request: Request, form: Form[schemas.FriendAdd]) -> Any:
    """Make two users friends, or ask the other where their permission says so."""
    friends.add(
        **request.auth.who_and_when,
        user_id=form.userId,
        friend_id=form.targetId,
        direct=form.optType == "2",
        message=form.extra,
    )
    return Done()


@router.post("/friend/delete.json", response=Done)
def friend_delete(request: Request, form: Form[schemas.FriendDelete]) -> Any:
    """End these friendships, on both sides."""
    LIMITS.count_users(request.auth, len(form.ids))
    friends.remove(**request.auth.who_and_when, user_id=form.userId, friend_ids=form.ids)
    return Done()


@router.post("/friend/clean.json", response=Done)
def friend_clean(request: Request, form: Form[schemas.User]) -> Any:
    """End all friendships of a user."""
    friends.remove_all(**request.auth.who_and_when, user_id=form.userId)
    return Done()


@router.post("/friend/get.json", response=schemas.Friends, exclude_none=True)
def friend_get(request: Request, form: Form[schemas.FriendGet]) -> Any:
    """A user's friends, by when they became friends."""
    page = calls.friends_page(
        request.auth,
        form.userId,
        cursor=form.pageToken,
        size=form.size,
        newest_first=form.order == "1",
    )
    shown = [
        schemas.Friend(
            userId=each.friend_id,
            name=name,
            remarkName=each.alias,
            friendExtProfile=json.dumps(each.extended, ensure_ascii=False),
            time=milliseconds(each.added_at),
        )
        for each, name in page.rows
    ]
    return schemas.Friends(pageToken=page.next or None, totalCount=page.total, friendList=shown)


@router.post("/friend/check.json", response=schemas.FriendChecks)
def friend_check(request: Request, form: Form[schemas.FriendTargets]) -> Any:
    """Which of these are the user's friends."""
    LIMITS.count_users(request.auth, len(form.targetIds))
    found = calls.relations(request.auth, form.userId, form.targetIds)
    return schemas.FriendChecks(
        results=[schemas.FriendCheck(userId=user_id, result=each) for user_id, each in found]
    )


@router.post("/friend/profile/set.json", response=Done)
def friend_profile_set(request: Request, form: Form[schemas.FriendProfileSet]) -> Any:
    """What a user calls a friend, and further fields of their own about them."""
    friends.describe(
        **request.auth.who_and_when,
        user_id=form.userId,
        friend_id=form.targetId,
        alias=form.remarkName,
        extended=form.friendExtProfile,
    )
    return Done()


@router.post("/friend/permission/set.json", response=Done)
def permission_set(request: Request, form: Form[schemas.PermissionSet]) -> Any:
    """Say who may become these users' friend."""
    LIMITS.count_users(request.auth, len(form.userIds))
    permission = FriendPermission(int(form.permissionType))
    friends.set_permission(
        **request.auth.who_and_when, user_ids=form.userIds, permission=permission
    )
    return Done()


@router.post("/friend/permission/get.json", response=schemas.Permissions)
def permission_get(request: Request, form: Form[schemas.PermissionGet]) -> Any:
    """Who may become these users' friend."""
    LIMITS.count_users(request.auth, len(form.userIds))
    found = friends.permissions(environment=request.auth.environment, user_ids=form.userIds)
    return schemas.Permissions(
        permissionSettings=[
            schemas.Permission(userId=user_id, type=permission)
            for user_id, permission in found.items()
        ]
    )
