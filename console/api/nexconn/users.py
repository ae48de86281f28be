"""Nexconn's calls about users."""

from typing import Any

from ninja import Body, Router

from console.api.nexconn import schemas
from console.api.nexconn.wire import Answer
from console.api.vendor import Request
from users import registration

router = Router()


@router.post("/v4/auth/access-token/issue", response=Answer[schemas.Token])
def issue_token(request: Request, body: Body[schemas.IssueToken]) -> Any:
    caller = request.auth
    registered = registration.register(
        environment=caller.environment,
        user_id=body.userId,
        name=body.name,
        avatar_url=body.avatarUrl,
        now=caller.now,
    )
    return Answer(result=schemas.Token(userId=body.userId, accessToken=registered.token))
