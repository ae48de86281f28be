"""RongCloud's calls about bans, mutes, blocklists and allowlists."""

from typing import Any

from ninja import Form, Router

from api import calls
from api.fields import printed
from api.rongcloud import schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from moderation import bans, lists

router = Router(tags=["Moderation"])


@router.post("/user/block.json", response=Done)
def block(request: Request, form: Form[schemas.Block]) -> Any:
    """Ban these users for so many minutes, and close their connections."""
    calls.ban(request.auth, form.userId, form.minute)
    return Done()


@router.post("/user/unblock.json", response=Done)
def unblock(request: Request, form: Form[schemas.Users]) -> Any:
    """Lift the bans of these users."""
    bans.lift(**request.auth.who_and_when, user_ids=form.userId)
    return Done()


@router.post("/user/block/query.json", response=schemas.BlockedUsers)
def block_query(request: Request, form: Form[schemas.BlockQuery]) -> Any:
    """Bans in force, the latest end first."""
    found = calls.bans_in_force(request.auth, page=form.page, size=form.size)
    return schemas.BlockedUsers(
        users=[
            schemas.BlockedUser(userId=ban.user_id, blockEndTime=printed(ban.ends_at))
            for ban in found
        ]
    )


@router.post("/user/chat/fb/set.json", response=Done)
def mute_set(request: Request, form: Form[schemas.MuteSet]) -> Any:
    """1 mutes these users in one kind of conversation until further notice, 0 lifts that."""
    calls.mute(request.auth, form.userId, [form.type], on=form.state == "1")
    return Done()


@router.post("/user/chat/fb/querylist.json", response=schemas.MutedUsers)
def mute_query(request: Request, form: Form[schemas.MuteQuery]) -> Any:
    """Who is muted in one kind of conversation, the first muted first."""
    total, users = calls.muted(request.auth, form.type, offset=form.offset, size=form.num)
    return schemas.MutedUsers(total=total, users=users)


@router.post("/user/blacklist/add.json", response=Done)
def blacklist_add(request: Request, form: Form[schemas.BlacklistChange]) -> Any:
    """Put these users on somebody's blocklist."""
    calls.change_list(lists.blocklist.add, request.auth, form.userId, form.blackUserId)
    return Done()


@router.post("/user/blacklist/remove.json", response=Done)
def blacklist_remove(request: Request, form: Form[schemas.BlacklistChange]) -> Any:
    """Take these users off somebody's blocklist."""
    calls.change_list(lists.blocklist.remove, request.auth, form.userId, form.blackUserId)
    return Done()


@router.post("/user/blacklist/query.json", response=schemas.ListPage, exclude_none=True)
def blacklist_query(request: Request, form: Form[schemas.ListQuery]) -> Any:
    """A blocklist, newest first."""
    return _page(lists.blocklist, request, form)


@router.post("/user/whitelist/add.json", response=Done)
def whitelist_add(request: Request, form: Form[schemas.WhitelistChange]) -> Any:
    """Put these users on somebody's allowlist."""
    calls.change_list(lists.allowlist.add, request.auth, form.userId, form.whiteUserId)
    return Done()


@router.post("/user/whitelist/remove.json", response=Done)
def whitelist_remove(request: Request, form: Form[schemas.WhitelistChange]) -> Any:
    """Take these users off somebody's allowlist."""
    calls.change_list(lists.allowlist.remove, request.auth, form.userId, form.whiteUserId)
    return Done()


@router.post("/user/whitelist/query.json", response=schemas.ListPage, exclude_none=True)
def whitelist_query(request: Request, form: Form[schemas.ListQuery]) -> Any:
    """An allowlist, newest first."""
    return _page(lists.allowlist, request, form)


@router.post("/user/whitesetting/set.json", response=Done)
def whitesetting_set(request: Request, form: Form[schemas.WhitesettingSet]) -> Any:
    """1 puts these users' allowlists in force, 0 their blocklists."""
    lists.switch_allowlist(
        **request.auth.who_and_when, owner_ids=form.userId, on=form.whiteSetting == "1"
    )
    return Done()


@router.post("/user/whitesetting/query.json", response=schemas.Whitesettings)
def whitesetting_query(request: Request, form: Form[schemas.Users]) -> Any:
    """Whose allowlist is in force."""
    on = lists.allowlists_on(environment=request.auth.environment, owner_ids=form.userId)
    return schemas.Whitesettings(
        users=[
            schemas.Whitesetting(userId=user_id, whiteSetting="1" if user_id in on else "0")
            for user_id in form.userId
        ]
    )


def _page(user_list: lists.UserList, request: Request, form: schemas.ListQuery) -> schemas.ListPage:
    page = user_list.page(
        environment=request.auth.environment,
        owner_id=form.userId,
        cursor=form.pageToken,
        size=form.size,
    )
    return schemas.ListPage(users=[entry.listed_id for entry in page.rows], next=page.next)
