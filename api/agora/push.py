"""Agora Chat's call about push notices: nickname, quiet hours and devices."""

from typing import Any

from ninja import Body

from api.agora import auth, naming, responses
from api.agora.auth import Request
from api.agora.envelope import app_uri, entities, envelope
from api.agora.push_schemas import PushSettings
from api.agora.users import router
from users import profiles


# Ninja wants all methods of a path in one router; the other ones are in `users`.
@router.put("users/{username}", auth=auth.own_user, response=responses.Users, tags=["Push"])
def change_push(request: Request, username: str, body: Body[PushSettings]) -> Any:
    """Change the nickname, push settings and one push device; what is not sent stays."""
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
