"""Nexconn's calls about users."""

from typing import Any

from ninja import Body, Router

from api import calls
from api.fields import printed
from api.nexconn import schemas
from api.nexconn.auth import LIMITS
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from users import deactivation, profiles, registration

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
    """Tokens issued before `expiresAt` are dead; open connections stay open. Ids that are not
    registered are skipped.
    """
    calls.expire_tokens(request.auth, body.userIds, body.expiresAt)
    return Done()


@router.post("/v4/user/get", response=Answer[schemas.Profile])
def get_user(request: Request, body: Body[schemas.User]) -> Any:
    """Name, avatar and time of registration."""
    user = profiles.get(environment=request.auth.environment, user_id=body.userId)
    created_at = printed(user.registered_at)
    return Answer(
        result=schemas.Profile(name=user.name, avatarUrl=user.avatar_url, createdAt=created_at)
    )


@router.post("/v4/user/update", response=Done)
def update_user(request: Request, body: Body[schemas.Update]) -> Any:
    """Change name or avatar; what is not sent stays."""
    profiles.update(
        **request.auth.who_and_when,
        user_id=body.userId,
        name=body.name,
        avatar_url=body.avatarUrl,
    )
    return Done()


@router.post("/v4/user/connection-status/get", response=Answer[schemas.Status])
def connection_status(request: Request, body: Body[schemas.User]) -> Any:
    """Whether a user is online: 1, or not: 0."""
    return Answer(result=schemas.Status(status=calls.online_status(request.auth, body.userId)))


@router.post("/v4/user/soft-delete", response=Answer[schemas.Operation])
def soft_delete(request: Request, body: Body[schemas.ManyUsers]) -> Any:
    """Erase these users and disable their ids."""
    LIMITS.count_users(request.auth, len(body.userIds))
    operation = deactivation.deactivate(**request.auth.who_and_when, user_ids=body.userIds)
    return Answer(result=schemas.Operation(operationId=operation))


@router.post("/v4/user/soft-deleted/list", response=Answer[schemas.UserIds])
def soft_deleted_list(request: Request, body: Body[schemas.SoftDeletedList] = FIRST_PAGE) -> Any:
    """Soft-deleted ids, the latest first, erased or still to be."""
    found = calls.deactivated(request.auth, page=body.page, size=body.pageSize)
    return Answer(result=schemas.UserIds(userIds=found))


@router.post("/v4/user/restore", response=Answer[schemas.Operation])
def restore(request: Request, body: Body[schemas.ManyUsers]) -> Any:
    """Enable these ids again; what was erased stays erased."""
    LIMITS.count_users(request.auth, len(body.userIds))
    operation = deactivation.reactivate(**request.auth.who_and_when, user_ids=body.userIds)
    return Answer(result=schemas.Operation(operationId=operation))
