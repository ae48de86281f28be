"""Agora Chat's call about push notices: the nickname in them, when they may come, and to where."""

from typing import Any

from ninja import Body

from api.agora import answers, auth, naming
from api.agora.auth import Request
from api.agora.envelope import app_uri, entities, envelope
from api.agora.push_schemas import PushSettings
from api.agora.users import router
from users import profiles


# A path's methods stand in one router, and this path has others.
@router.put("users/{username}", auth=auth.own_user, response=answers.Users, tags=["Push"])
def change_push(request: Request, username: str, body: Body[PushSettings]) -> Any:
    """Change nickname, push settings and one push device; what is not named stays."""
    caller = request.auth
    user = profiles.update(
        environment=caller.environment,
        user_id=naming.find(caller.environment, username).user_id,
        name=body.nickname,
        push_settings=body.preferences(),
        push_device=body.device(),
        by=caller.actor,
        now=caller.now,
    )
    return envelope(
        request, "put", uri=app_uri(request, "users"), entities=entities(caller, [user])
    )
