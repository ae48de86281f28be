"""Nexconn's calls about bans, mutes and blocklists. It has none about allowlists."""

from typing import Any

from ninja import Body, Router

from api import calls
from api.fields import printed
from api.nexconn import schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from moderation import bans, lists

router = Router(tags=["Moderation"])
# Lists may be asked for without a body.
EVERYTHING = schemas.BanList()


@router.post("/v4/user/ban", response=Done)
def ban(request: Request, body: Body[schemas.Ban]) -> Any:
    """Ban these users for so many minutes, and close their connections."""
    calls.ban(request.auth, body.userIds, body.durationMinutes)
    return Done()


@router.post("/v4/user/unban", response=Done)
def unban(request: Request, body: Body[schemas.Users]) -> Any:
    """Lift the bans of these users."""
    bans.lift(**request.auth.who_and_when, user_ids=body.userIds)
    return Done()


@router.post("/v4/user/ban/list", response=Answer[schemas.BannedUsers])
def ban_list(request: Request, body: Body[schemas.BanList] = EVERYTHING) -> Any:
    """Bans in force, the latest end first."""
    banned = [
        schemas.BannedUser(userId=ban.user_id, banExpiresAt=printed(ban.ends_at))
        for ban in calls.bans_in_force(request.auth, page=body.page, size=body.pageSize)
    ]
    return Answer(result=schemas.BannedUsers(bannedUsers=banned))


@router.post("/v4/channel-type/mute/set", response=Done)
def mute_set(request: Request, body: Body[schemas.MuteSet]) -> Any:
    """1 mutes these users in these kinds of conversations until further notice, 0 lifts that."""
    calls.mute(request.auth, body.userIds, body.channelTypes, on=body.muteState == 1)
    return Done()


@router.post("/v4/channel-type/mute/list", response=Answer[schemas.MutedUsers])
def mute_list(request: Request, body: Body[schemas.MuteList]) -> Any:
    """Who is muted in one kind of conversation, the first muted first."""
    total, users = calls.muted(
        request.auth, body.channelType, offset=body.offset, size=body.pageSize
    )
    return Answer(result=schemas.MutedUsers(totalCount=total, mutedUserIds=users))


@router.post("/v4/user/blocklist/add", response=Done)
def blocklist_add(request: Request, body: Body[schemas.BlocklistAdd]) -> Any:
    """Put these users on somebody's blocklist."""
    calls.change_list(lists.blocklist.add, request.auth, body.userId, body.targetUserIds)
    return Done()


@router.post("/v4/user/blocklist/remove", response=Done)
def blocklist_remove(request: Request, body: Body[schemas.BlocklistRemove]) -> Any:
    """Take these users off somebody's blocklist."""
    calls.change_list(lists.blocklist.remove, request.auth, body.userId, body.blockedUserIds)
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
