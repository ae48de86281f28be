"""RongCloud's calls about users."""

from typing import Any

from ninja import Form, Router

from console.api.rongcloud import schemas
from console.api.vendor import Request
from users import registration

router = Router()


@router.post("/user/getToken.json", response=schemas.Token)
def get_token(request: Request, form: Form[schemas.GetToken]) -> Any:
    caller = request.auth
    registered = registration.register(
        environment=caller.environment,
        user_id=form.userId,
        name=form.name,
        avatar_url=form.portraitUri,
        now=caller.now,
    )
    return schemas.Token(userId=form.userId, token=registered.token)
