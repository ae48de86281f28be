"""Agora Chat's calls about bans, blocklists and mutes."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from ninja import Body, Router

from api import offset_paging
from api.agora import auth, naming, paging, responses, schemas, wire
from api.agora.auth import Request
from api.agora.envelope import app_uri, entities, envelope
from api.agora.relations import relations
from applications.models import Environment
from moderation import bans, mutes
from moderation.lists import blocklist
from moderation.models import Mute
from users import lookup
from users.models import AppUser

router = Router(tags=["Moderation"], exclude_unset=True)
MAX_BLOCKED = 500
CHANNELS = {
    "chat": Mute.Channel.DIRECT,
    "groupchat": Mute.Channel.GROUP,
    "chatroom": Mute.Channel.ROOM,
}
WORDS = {channel: word for word, channel in CHANNELS.items()}


# --- Bans --------------------------------------------------------------------------------------
@router.post("users/{username}/deactivate", response=responses.Banned)
def ban(request: Request, username: str) -> Any:
    """Ban a user permanently and close their connections."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    bans.impose(
        environment=caller.environment,
        user_ids=[user.user_id],
        expires_at=None,
        reason="",
        by=caller.actor,
        now=caller.now,
    )
    return envelope(request, "Deactivate user", entities=entities(caller, [user]))


@router.post("users/{username}/activate", response=responses.WithAction)
def unban(request: Request, username: str) -> Any:
    """Lift a user's ban, whatever its end and whoever imposed it."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    bans.lift(
        environment=caller.environment, user_ids=[user.user_id], by=caller.actor, now=caller.now
    )
    return envelope(request, "activate user")


# --- Blocklists --------------------------------------------------------------------------------
@router.post(
    "sdk/user/{username}/blocks",
    auth=auth.own_user,
    response=responses.Names,
    operation_id="block_by_sdk",
)
@router.post("users/{username}/blocks/users", auth=auth.own_user, response=responses.Names)
def block(request: Request, username: str, body: Body[schemas.BlockUsers]) -> Any:
    """Add these users to a user's blocklist."""
    caller = request.auth
    owner, wanted = _owner_and_named(request, username, body)
    blocklist.add(
        environment=caller.environment,
        owner_id=owner.user_id,
        # Blocking oneself has no effect and is not an error.
        listed_ids=[listed_id for listed_id in wanted if listed_id != owner.user_id],
        by=caller.actor,
        now=caller.now,
        most=MAX_BLOCKED,
    )
    return envelope(request, "post", uri=app_uri(request), entities=[], data=wanted)


@router.delete("sdk/user/{username}/blocks", auth=auth.own_user, response=responses.Names)
def unblock_several(request: Request, username: str, body: Body[schemas.BlockUsers]) -> Any:
    """Remove these users from a user's blocklist."""
    caller = request.auth
    owner, wanted = _owner_and_named(request, username, body)
    blocklist.remove(
        environment=caller.environment,
        owner_id=owner.user_id,
        listed_ids=wanted,
        by=caller.actor,
        now=caller.now,
    )
    return envelope(request, "delete", uri=app_uri(request), entities=[], data=wanted)


def _owner_and_named(
    request: Request, username: str, body: schemas.BlockUsers
) -> tuple[AppUser, list[str]]:
    """The list's owner, and the ids of the named users, each once. Raises `Refused`."""
    found = lookup.by_names(request.auth.environment, [username, *body.usernames])
    if any(name not in found for name in (username, *body.usernames)):
        raise wire.Refused(wire.NO_USER)
    return found[username], list(dict.fromkeys(found[name].user_id for name in body.usernames))


@router.get("users/{username}/blocks/users", auth=auth.own_user, response=responses.PageOfNames)
def blocklist_page(
    request: Request, username: str, pageSize: paging.ShortPageSize = None, cursor: str = ""
) -> Any:
    """A blocklist, the latest first; up to 500 users without a page size and a cursor."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    paged = pageSize is not None or bool(cursor)
    page = blocklist.page(
        environment=caller.environment,
        owner_id=user.user_id,
        cursor=paging.decrypt_cursor(caller.environment, cursor),
        size=paging.page_size(pageSize, most=paging.MAX_SHORT_PAGE) if paged else MAX_BLOCKED,
    )
    names = [entry.listed_id for entry in page.rows]
    return envelope(
        request,
        "get",
        entities=[],
        data=names,
        cursor=paging.encrypt_cursor(caller.environment, page.next) if paged else None,
        count=len(names),
    )


@router.delete(
    "users/{username}/blocks/users/{blocked}", auth=auth.own_user, response=responses.Users
)
def unblock(request: Request, username: str, blocked: str) -> Any:
    """Remove a user from another's blocklist."""
    caller = request.auth
    owner = naming.find(caller.environment, username)
    other = naming.find(caller.environment, blocked)
    blocklist.remove(
        environment=caller.environment,
        owner_id=owner.user_id,
        listed_ids=[other.user_id],
        by=caller.actor,
        now=caller.now,
    )
    place = ("users", str(owner.uuid), "blocks")
    return envelope(
        request,
        "delete",
        path="/" + "/".join(place),
        uri=app_uri(request, *place),
        entities=entities(caller, [other]),
    )


@router.post("blocks/check", response=responses.Relations)
def check_blocked(request: Request, body: Body[schemas.CheckList]) -> Any:
    """Whether each of these is on the user's blocklist."""
    return relations(request, body, _blocked_among, ("blacklist", "not_blacklist"))


def _blocked_among(environment: Environment, user_id: str, others: list[str]) -> set[str]:
    return blocklist.among(environment=environment, owner_id=user_id, others=others)


# --- Mutes -------------------------------------------------------------------------------------
@router.post("mutes", response=responses.Muted)
def mute(request: Request, body: Body[schemas.Mute]) -> Any:
    """Mute a user in the named kinds of conversation, or lift the mutes there."""
    caller = request.auth
    user = naming.find(caller.environment, body.username, unknown=wire.NO_USER_TO_MUTE)
    who: dict[str, Any] = {"environment": caller.environment, "user_ids": [user.user_id]}
    when: dict[str, Any] = {"by": caller.actor, "now": caller.now}
    with transaction.atomic():
        for word, channel in CHANNELS.items():
            seconds = getattr(body, word)
            if seconds == 0:
                mutes.lift(channel=channel, **who, **when)
            elif seconds is not None:
                end = None
                if seconds != schemas.PERMANENT:
                    end = caller.now + timedelta(seconds=seconds)
                mutes.impose(channel=channel, expires_at=end, **who, **when)
    return envelope(request, "post", path="/mutes", data={"result": "ok"})


@router.get("mutes", response=responses.Mutes)
def muted(
    request: Request,
    pageNum: paging.PageNumber = None,
    pageSize: paging.ShortPageSize = None,
) -> Any:
    """All mutes: one line for each user and kind of conversation."""
    caller = request.auth
    found = offset_paging.page(
        Mute.objects.in_force(caller.now).filter(environment=caller.environment),
        *("user_id", "channel"),
        number=paging.page_number(pageNum),
        size=paging.page_size(pageSize, most=paging.MAX_SHORT_PAGE),
    )
    lines = [
        {
            "username": each.user_id,
            WORDS[Mute.Channel(each.channel)]: _seconds_left(each, caller.now),
        }
        for each in found
    ]
    return envelope(
        request, "get", path="/mutes", data={"data": lines, "unixtime": _unix_seconds(caller.now)}
    )


@router.get("mutes/{username}", response=responses.UserMutes)
def mutes_of_user(request: Request, username: str) -> Any:
    """The seconds left of a user's mutes; 0 if not muted, -1 if the mute has no end."""
    caller = request.auth
    user = naming.find(caller.environment, username, unknown=wire.NO_USER_TO_MUTE)
    found = mutes.by_channel(environment=caller.environment, user_id=user.user_id, now=caller.now)
    application = caller.environment.application
    return envelope(
        request,
        "get",
        path="/mutes",
        data={
            "userid": f"{application.org_name}#{caller.environment.kind}_{user.user_id}",
            **{
                word: _seconds_left(found[channel], caller.now) if channel in found else 0
                for word, channel in CHANNELS.items()
            },
            "unixtime": _unix_seconds(caller.now),
        },
    )


def _seconds_left(mute: Mute, now: datetime) -> int:
    if mute.expires_at is None:
        return schemas.PERMANENT
    return -((now - mute.expires_at) // timedelta(seconds=1))  # rounded up: 0 is not muted


def _unix_seconds(now: datetime) -> int:
    return int(now.timestamp())
