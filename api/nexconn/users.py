"""Nexconn's calls about users."""

from typing import Any

from ninja import Body, Router

from api import numbered
from api.fields import moment, printed
from api.nexconn import auth, schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from users import deactivation, presence, profiles, registration, tokens
from users.models import DeactivatedUser

router = Router(tags=["Users"])
# Lists may be asked for without a body.
FIRST_PAGE = schemas.SoftDeletedList()


@router.post("/v4/auth/access-token/issue", response=Answer[schemas.Token])
def issue_token(request: Request, body: Body[schemas.IssueToken]) -> Any:
    """Register a user, or give a registered one a further token."""
    caller = request.auth
    registered = registration.register(
        environment=caller.environment,
        user_id=body.userId,
        name=body.name,
        avatar_url=body.avatarUrl,
        now=caller.now,
    )
    return Answer(result=schemas.Token(userId=body.userId, accessToken=registered.token))


@router.post("/v4/auth/access-token/expire", response=Done)
def expire_tokens(request: Request, body: Body[schemas.ExpireTokens]) -> Any:
    """Tokens issued before `expiresAt` are dead; open connections stay open."""
    caller = request.auth
    tokens.expire(
        environment=caller.environment,
        user_ids=body.userIds,
        before=moment(body.expiresAt),
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/user/get", response=Answer[schemas.Profile])
def get_user(request: Request, body: Body[schemas.User]) -> Any:
    """Name, avatar and time of registration."""
    user = profiles.get(environment=request.auth.environment, user_id=body.userId)
    return Answer(
        result=schemas.Profile(
            name=user.name, avatarUrl=user.avatar_url, createdAt=printed(user.registered_at)
        )
    )


@router.post("/v4/user/update", response=Done)
def update_user(request: Request, body: Body[schemas.Update]) -> Any:
    """Change name or avatar; what is not sent stays."""
    caller = request.auth
    profiles.update(
        environment=caller.environment,
        user_id=body.userId,
        name=body.name,
        avatar_url=body.avatarUrl,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/user/connection-status/get", response=Answer[schemas.Status])
def connection_status(request: Request, body: Body[schemas.User]) -> Any:
    """Whether a user is online: 1, or not: 0."""
    caller = request.auth
    online = presence.is_online(environment=caller.environment, user_id=body.userId, now=caller.now)
    return Answer(result=schemas.Status(status="1" if online else "0"))


@router.post("/v4/user/soft-delete", response=Answer[schemas.Operation])
def soft_delete(request: Request, body: Body[schemas.ManyUsers]) -> Any:
    """Erase these users and disable their ids."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(body.userIds))
    operation = deactivation.deactivate(
        environment=caller.environment, user_ids=body.userIds, by=caller.actor, now=caller.now
    )
    return Answer(result=schemas.Operation(operationId=operation))


@router.post("/v4/user/soft-deleted/list", response=Answer[schemas.UserIds])
def soft_deleted_list(request: Request, body: Body[schemas.SoftDeletedList] = FIRST_PAGE) -> Any:
    """Soft-deleted ids, the latest first, erased or still to be."""
    tombstones = numbered.page(
        DeactivatedUser.objects.filter(environment=request.auth.environment),
        *("-deactivated_at", "-id"),
        number=body.page,
        size=body.pageSize,
    )
    return Answer(result=schemas.UserIds(userIds=[each.user_id for each in tombstones]))


@router.post("/v4/user/restore", response=Answer[schemas.Operation])
def restore(request: Request, body: Body[schemas.ManyUsers]) -> Any:
    """Enable these ids again; what was erased stays erased."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(body.userIds))
    operation = deactivation.reactivate(
        environment=caller.environment, user_ids=body.userIds, by=caller.actor, now=caller.now
    )
    return Answer(result=schemas.Operation(operationId=operation))
