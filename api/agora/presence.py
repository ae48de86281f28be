"""Agora Chat's calls about presence: the status that users publish, and subscriptions to it.

Their responses have `result` instead of the envelope, and numbers in them are texts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from ninja import Body, Path, Router
from pydantic import BaseModel, Field

from api import offset_paging
from api.agora import auth, naming, paging, schemas, wire
from api.agora.auth import Caller, Request
from api.agora.wire import Refused
from users import lookup, statuses
from users.models import AppUser

UnixSeconds = Annotated[str, Field(pattern="^[0-9]+$", description="Unix time in seconds")]


class PresenceDone(BaseModel):
    result: Literal["ok"]


class Presence(BaseModel):
    """`status` has the devices that are online; `expiry` is 0 without a subscription."""

    uid: str
    last_time: UnixSeconds
    expiry: UnixSeconds
    ext: str
    status: dict[str, str]


class Presences(BaseModel):
    result: list[Presence]


class Subscription(BaseModel):
    uid: str
    expiry: UnixSeconds


class Subscriptions(BaseModel):
    totalnum: Annotated[str, Field(pattern="^[0-9]+$")]
    sublist: list[Subscription]


class SubscriptionList(BaseModel):
    result: Subscriptions


router = Router(tags=["Presence"], exclude_unset=True)
Lifetime = Annotated[int, Path(ge=1, le=int(statuses.MAX_LIFETIME.total_seconds()))]


@router.post(
    "users/{username}/presence/{resource}/{status}",
    auth=auth.own_user,
    response=PresenceDone,
)
def publish(
    request: Request, username: str, resource: str, status: str, body: Body[schemas.ShownStatus]
) -> Any:
    """Publish a text, and a state for one device: 1 is online, 0 offline; apps may have others."""
    caller = request.auth
    statuses.publish(
        environment=caller.environment,
        user_id=naming.find(caller.environment, username).user_id,
        text=body.ext,
        device=resource,
        state=status,
        now=caller.now,
    )
    return {"result": "ok"}


@router.get("users/{username}/presence/sublist", auth=auth.own_user, response=SubscriptionList)
def subscriptions(
    request: Request,
    username: str,
    pageNum: paging.PageNumber = None,
    pageSize: paging.LongPageSize = None,
) -> Any:
    """A user's subscriptions, sorted by name."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    held = statuses.subscriptions(
        environment=caller.environment, owner_id=user.user_id, now=caller.now
    )
    found = offset_paging.page(
        held,
        "about_id",
        number=paging.page_number(pageNum),
        size=paging.page_size(pageSize, most=paging.MAX_LONG_PAGE),
    )
    return {
        "result": {
            "totalnum": str(held.count()),
            "sublist": [
                {"uid": each.about_id, "expiry": _seconds(each.expires_at)} for each in found
            ],
        }
    }


@router.post("users/{username}/presence/{expiry}", auth=auth.own_user, response=Presences)
def subscribe(
    request: Request, username: str, expiry: Lifetime, body: Body[schemas.StatusQuery]
) -> Any:
    """Subscribe to these users for `expiry` seconds. Returns their current presence."""
    caller = request.auth
    found = lookup.by_names(caller.environment, [username, *body.usernames])
    if any(name not in found for name in (username, *body.usernames)):
        raise Refused(wire.NO_USER)
    statuses.subscribe(
        environment=caller.environment,
        owner_id=found[username].user_id,
        about_ids=[found[name].user_id for name in body.usernames],
        lifetime=timedelta(seconds=expiry),
        now=caller.now,
    )
    return {"result": _presences(caller, found[username], body.usernames)}


@router.post("users/{username}/presence", auth=auth.own_user, response=Presences)
def presence_of_several(request: Request, username: str, body: Body[schemas.StatusQuery]) -> Any:
    """The presence of these users, in the order of the request. Unknown names are offline."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    return {"result": _presences(caller, user, body.usernames)}


@router.delete("users/{username}/presence", auth=auth.own_user, response=PresenceDone)
def unsubscribe(request: Request, username: str, body: Body[schemas.SeveralNames]) -> Any:
    """End subscriptions. Names without one, and unknown names, are ignored."""
    caller = request.auth
    found = lookup.by_names(caller.environment, [username, *body])
    if username not in found:
        raise Refused(wire.NO_USER)
    statuses.unsubscribe(
        environment=caller.environment,
        owner_id=found[username].user_id,
        about_ids=[found[name].user_id for name in body if name in found],
    )
    return {"result": "ok"}


def _presences(caller: Caller, user: AppUser, names: Sequence[str]) -> list[dict[str, Any]]:
    """Four queries for all: users, and what `user` sees of them."""
    users = lookup.by_names(caller.environment, names)
    shown = statuses.shown(
        environment=caller.environment,
        owner_id=user.user_id,
        users=users.values(),
        now=caller.now,
    )
    return [
        _presence(shown[users[name].user_id]) if name in users else _unknown(name)
        for name in dict.fromkeys(names)
    ]


def _presence(shown: statuses.Shown) -> dict[str, Any]:
    return {
        "uid": shown.user_id,
        "last_time": _seconds(shown.seen_at),
        "expiry": _seconds(shown.expires_at),
        "ext": shown.text,
        "status": shown.devices,
    }


def _unknown(name: str) -> dict[str, Any]:
    return _presence(statuses.Shown(name, "", {}, None, None))


def _seconds(moment: datetime | None) -> str:
    return str(int(moment.timestamp())) if moment is not None else "0"
