"""RongCloud's calls about bans, mutes, blocklists and allowlists."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ninja import Form, Router

from api import fields, numbered
from api.fields import printed
from api.rongcloud import schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from applications import counting
from moderation import bans, lists, mutes
from moderation.models import Ban

router = Router(tags=["Moderation"])


@router.post("/user/block.json", response=Done)
def block(request: Request, form: Form[schemas.Block]) -> Any:
    """Ban these users for so many minutes, and close their connections."""
    caller = request.auth
    bans.impose(
        environment=caller.environment,
        user_ids=form.userId,
        expires_at=caller.now + timedelta(minutes=form.minute),
        reason="",
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/user/unblock.json", response=Done)
def unblock(request: Request, form: Form[schemas.Users]) -> Any:
    """Lift the bans of these users."""
    caller = request.auth
    bans.lift(environment=caller.environment, user_ids=form.userId, by=caller.actor, now=caller.now)
    return Done()


@router.post("/user/block/query.json", response=schemas.BlockedUsers)
def block_query(request: Request, form: Form[schemas.BlockQuery]) -> Any:
    """Bans in force, the latest end first."""
    caller = request.auth
    found = numbered.page(
        Ban.objects.in_environment(caller.environment).in_force(caller.now),
        *("-ends_at", "-id"),
        number=form.page or 1,
        size=form.size if form.page else fields.MAX_UNPAGED_BANS,
    )
    return schemas.BlockedUsers(
        users=[
            schemas.BlockedUser(userId=ban.user_id, blockEndTime=printed(ban.ends_at))
            for ban in found
        ]
    )


@router.post("/user/chat/fb/set.json", response=Done)
def mute_set(request: Request, form: Form[schemas.MuteSet]) -> Any:
    """1 mutes these users in one kind of conversation until further notice, 0 lifts that."""
    caller = request.auth
    whom: dict[str, Any] = {
        "environment": caller.environment,
        "user_ids": form.userId,
        "channel": fields.CHANNELS[form.type],
        "by": caller.actor,
        "now": caller.now,
    }
    if form.state == "1":
        mutes.impose(**whom, expires_at=None)
    else:
        mutes.lift(**whom)
    return Done()


@router.post("/user/chat/fb/querylist.json", response=schemas.MutedUsers)
def mute_query(request: Request, form: Form[schemas.MuteQuery]) -> Any:
    """Who is muted in one kind of conversation, the first muted first."""
    caller = request.auth
    muted = mutes.in_channel(
        environment=caller.environment, channel=fields.CHANNELS[form.type], now=caller.now
    )
    found = numbered.rows(muted, "id", offset=form.offset, size=form.num)
    return schemas.MutedUsers(
        total=counting.count(muted).value, users=[mute.user_id for mute in found]
    )


@router.post("/user/blacklist/add.json", response=Done)
def blacklist_add(request: Request, form: Form[schemas.BlacklistChange]) -> Any:
    """Put these users on somebody's blocklist."""
    return _change(lists.blocklist.add, request, form.userId, form.blackUserId)


@router.post("/user/blacklist/remove.json", response=Done)
def blacklist_remove(request: Request, form: Form[schemas.BlacklistChange]) -> Any:
    """Take these users off somebody's blocklist."""
    return _change(lists.blocklist.remove, request, form.userId, form.blackUserId)


@router.post("/user/blacklist/query.json", response=schemas.ListPage, exclude_none=True)
def blacklist_query(request: Request, form: Form[schemas.ListQuery]) -> Any:
    """A blocklist, newest first."""
    return _page(lists.blocklist, request, form)


@router.post("/user/whitelist/add.json", response=Done)
def whitelist_add(request: Request, form: Form[schemas.WhitelistChange]) -> Any:
    """Put these users on somebody's allowlist."""
    return _change(lists.allowlist.add, request, form.userId, form.whiteUserId)


@router.post("/user/whitelist/remove.json", response=Done)
def whitelist_remove(request: Request, form: Form[schemas.WhitelistChange]) -> Any:
    """Take these users off somebody's allowlist."""
    return _change(lists.allowlist.remove, request, form.userId, form.whiteUserId)


@router.post("/user/whitelist/query.json", response=schemas.ListPage, exclude_none=True)
def whitelist_query(request: Request, form: Form[schemas.ListQuery]) -> Any:
    """An allowlist, newest first."""
    return _page(lists.allowlist, request, form)


@router.post("/user/whitesetting/set.json", response=Done)
def whitesetting_set(request: Request, form: Form[schemas.WhitesettingSet]) -> Any:
    """1 puts these users' allowlists in force, 0 their blocklists."""
    caller = request.auth
    lists.switch_allowlist(
        environment=caller.environment,
        owner_ids=form.userId,
        on=form.whiteSetting == "1",
        by=caller.actor,
        now=caller.now,
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


def _change(
    verb: Callable[..., list[str]], request: Request, owner_id: str, listed_ids: list[str]
) -> Done:
    caller = request.auth
    verb(
        environment=caller.environment,
        owner_id=owner_id,
        listed_ids=listed_ids,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


def _page(user_list: lists.UserList, request: Request, form: schemas.ListQuery) -> schemas.ListPage:
    page = user_list.page(
        environment=request.auth.environment,
        owner_id=form.userId,
        cursor=form.pageToken,
        size=form.size,
    )
    return schemas.ListPage(users=[entry.listed_id for entry in page.rows], next=page.next)
