"""Agora Chat's calls about online status, devices and waiting messages."""

from typing import Any

from ninja import Body, Router

from api.agora import auth, naming, responses, schemas
from api.agora.auth import Request
from api.agora.envelope import envelope
from users import lookup, messages, presence

router = Router(tags=["Connections"], exclude_unset=True)
# Primary keys have 64 bits; a longer number is not a message's id.
_MAX_DIGITS = 18


@router.post("users/batch/status", response=responses.States)
def online_statuses(request: Request, body: Body[schemas.StatusQuery]) -> Any:
    """Whether these users are online, in the order of the request. Unknown names are offline."""
    caller = request.auth
    users = lookup.by_names(caller.environment, body.usernames)
    online = presence.online(
        environment=caller.environment,
        user_ids=[user.user_id for user in users.values()],
        now=caller.now,
    )
    return envelope(
        request,
        "get batch user status",
        data=[
            {name: _state(name in users and users[name].user_id in online)}
            for name in body.usernames
        ],
    )


@router.get(
    "users/{username}/status",
    auth=auth.own_user,
    response=responses.Counted[dict[str, responses.State]],
)
def online_status(request: Request, username: str) -> Any:
    """Whether a user is online with any device. The key is the name as it was sent."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    online = presence.is_online(
        environment=caller.environment, user_id=user.user_id, now=caller.now
    )
    return envelope(request, "get", entities=[], data={username: _state(online)}, count=0)


def _state(online: bool) -> str:
    return "online" if online else "offline"


@router.api_operation(
    ["GET", "POST"], "users/{username}/disconnect", response=responses.Disconnected
)
def disconnect(request: Request, username: str) -> Any:
    """Close all connections of a user. Having none is not an error."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    presence.kick(
        environment=caller.environment, user_id=user.user_id, by=caller.actor, now=caller.now
    )
    return envelope(request, "get", entities=[], data={"result": True})


@router.get("users/{username}/resources", auth=auth.own_user, response=responses.Devices)
def devices(request: Request, username: str) -> Any:
    """The devices that a user is online with."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    found = presence.connections(
        environment=caller.environment, user_id=user.user_id, now=caller.now
    )
    return envelope(
        request,
        "get",
        path=f"/users/{user.user_id}/resources",
        entities=[],
        data=[
            {"res": each.resource, "device_uuid": each.device, "device_name": each.platform}
            for each in found
        ],
    )


@router.api_operation(
    ["DELETE", "GET"],
    "users/{username}/disconnect/{resource}",
    response=responses.Disconnected,
)
def disconnect_device(request: Request, username: str, resource: str) -> Any:
    """Close one device's connection if it is open."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    for each in presence.connections(
        environment=caller.environment, user_id=user.user_id, now=caller.now
    ):
        if each.resource == resource:
            presence.kick_connection(
                environment=caller.environment,
                connection_id=each.pk,
                by=caller.actor,
                now=caller.now,
            )
    return envelope(request, "delete", entities=[], data={"result": True})


@router.get(
    "users/{username}/offline_msg_count",
    auth=auth.own_user,
    response=responses.Counted[dict[str, int]],
)
def waiting_messages(request: Request, username: str) -> Any:
    """The number of messages that wait for a user."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    count = messages.waiting_count(
        environment=caller.environment, user_id=user.user_id, now=caller.now
    )
    return envelope(request, "get", entities=[], data={username: count}, count=0)


@router.get(
    "users/{username}/offline_msg_status/{message}",
    auth=auth.own_user,
    response=responses.Counted[dict[str, responses.DeliveryState]],
)
def message_state(request: Request, username: str, message: str) -> Any:
    """Whether a message still waits for the user. An unknown message counts as delivered."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    is_waiting = (
        message.isdecimal()
        and len(message) <= _MAX_DIGITS
        and messages.is_waiting(
            environment=caller.environment,
            user_id=user.user_id,
            message_id=int(message),
            now=caller.now,
        )
    )
    state = "undelivered" if is_waiting else "delivered"
    return envelope(request, "get", entities=[], data={message: state}, count=0)
