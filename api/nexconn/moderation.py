"""Nexconn's calls about bans, mutes and blocklists. It has none about allowlists."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from ninja import Body, Router

from api import fields, numbered
from api.fields import printed
from api.nexconn import schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from applications import counting
from moderation import bans, lists, mutes
from moderation.models import Ban

router = Router(tags=["Moderation"])
# Lists may be asked for without a body.
EVERYTHING = schemas.BanList()


@router.post("/v4/user/ban", response=Done)
def ban(request: Request, body: Body[schemas.Ban]) -> Any:
    """Ban these users for so many minutes, and close their connections."""
    caller = request.auth
    bans.impose(
        environment=caller.environment,
        user_ids=body.userIds,
        expires_at=caller.now + timedelta(minutes=body.durationMinutes),
        reason="",
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/user/unban", response=Done)
def unban(request: Request, body: Body[schemas.Users]) -> Any:
    """Lift the bans of these users."""
    caller = request.auth
    bans.lift(
        environment=caller.environment, user_ids=body.userIds, by=caller.actor, now=caller.now
    )
    return Done()


@router.post("/v4/user/ban/list", response=Answer[schemas.BannedUsers])
def ban_list(request: Request, body: Body[schemas.BanList] = EVERYTHING) -> Any:
    """Bans in force, the latest end first."""
    caller = request.auth
    found = numbered.page(
        Ban.objects.in_environment(caller.environment).in_force(caller.now),
        *("-ends_at", "-id"),
        number=body.page or 1,
        size=body.pageSize if body.page else fields.MAX_UNPAGED_BANS,
    )
    banned = [
        schemas.BannedUser(userId=ban.user_id, banExpiresAt=printed(ban.ends_at)) for ban in found
    ]
    return Answer(result=schemas.BannedUsers(bannedUsers=banned))


@router.post("/v4/channel-type/mute/set", response=Done)
def mute_set(request: Request, body: Body[schemas.MuteSet]) -> Any:
    """1 mutes these users in these kinds of conversations until further notice, 0 lifts that."""
    caller = request.auth
    with transaction.atomic():
        for channel in dict.fromkeys(body.channelTypes):
            whom: dict[str, Any] = {
                "environment": caller.environment,
                "user_ids": body.userIds,
                "channel": fields.CHANNELS[channel],
                "by": caller.actor,
                "now": caller.now,
            }
            if body.muteState:
                mutes.impose(**whom, expires_at=None)
            else:
                mutes.lift(**whom)
    return Done()


@router.post("/v4/channel-type/mute/list", response=Answer[schemas.MutedUsers])
def mute_list(request: Request, body: Body[schemas.MuteList]) -> Any:
    """Who is muted in one kind of conversation, the first muted first."""
    caller = request.auth
    muted = mutes.in_channel(
        environment=caller.environment, channel=fields.CHANNELS[body.channelType], now=caller.now
    )
    found = numbered.rows(muted, "id", offset=body.offset, size=body.pageSize)
    return Answer(
        result=schemas.MutedUsers(
            totalCount=counting.count(muted).value, mutedUserIds=[mute.user_id for mute in found]
        )
    )


@router.post("/v4/user/blocklist/add", response=Done)
def blocklist_add(request: Request, body: Body[schemas.BlocklistAdd]) -> Any:
    """Put these users on somebody's blocklist."""
    caller = request.auth
    lists.blocklist.add(
        environment=caller.environment,
        owner_id=body.userId,
        listed_ids=body.targetUserIds,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/user/blocklist/remove", response=Done)
def blocklist_remove(request: Request, body: Body[schemas.BlocklistRemove]) -> Any:
    """Take these users off somebody's blocklist."""
    caller = request.auth
    lists.blocklist.remove(
        environment=caller.environment,
        owner_id=body.userId,
        listed_ids=body.blockedUserIds,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/user/blocklist/get", response=Answer[schemas.Blocklist])
def blocklist_get(request: Request, body: Body[schemas.BlocklistGet]) -> Any:
    """A blocklist, page by page."""
    page = lists.blocklist.page(
        environment=request.auth.environment,
        owner_id=body.userId,
        cursor=body.pageToken or "",
        size=body.pageSize,
        newest_first=body.order == 0,
    )
    listed = [entry.listed_id for entry in page.rows]
    return Answer(result=schemas.Blocklist(pageToken=page.next or "", blockedUserIds=listed))
