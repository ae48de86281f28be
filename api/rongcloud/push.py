"""RongCloud's calls about what push notices go by: tags, remarks, quiet periods."""

from contextlib import suppress
from typing import Any

from ninja import Body, Form, Router

from api import numbered
from api.rongcloud import schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from users import profiles, tags
from users.tokens import UnknownUsers

router = Router(tags=["Push notices"])
_NO_PERIOD: dict[str, Any] = {"start": "00:00:00", "minutes": 0, "level": 0}


@router.post("/user/tag/set.json", response=Done)
def tag_set(request: Request, body: Body[schemas.TagSet]) -> Any:
    """A user's tags, in place of those there were. In JSON."""
    tags.set_tags(**request.auth.who_and_when, user_ids=[body.userId], tags=body.tags)
    return Done()


@router.post("/user/tag/batch/set.json", response=Done)
def tag_batch_set(request: Request, body: Body[schemas.TagBatchSet]) -> Any:
    """The same tags for each of these users, in place of those there were. In JSON."""
    tags.set_tags(**request.auth.who_and_when, user_ids=body.userIds, tags=body.tags)
    return Done()


@router.post("/user/tags/get.json", response=schemas.TagsAnswer)
def tags_get(request: Request, form: Form[schemas.TagsGet]) -> Any:
    """The tags of these users."""
    found = tags.tags_of(environment=request.auth.environment, user_ids=form.userIds)
    return schemas.TagsAnswer(result=found)


@router.post("/user/remarks/set.json", response=Done)
def remarks_set(request: Request, form: Form[schemas.RemarksSet]) -> Any:
    """What push notices to a user call others."""
    remarks = {each.id: each.remark for each in form.remarks}
    tags.set_remarks(**request.auth.who_and_when, owner_id=form.userId, remarks=remarks)
    return Done()


@router.post("/user/remarks/get.json", response=schemas.Remarks)
def remarks_get(request: Request, form: Form[schemas.RemarksGet]) -> Any:
    """A user's remarks, by the ids that they are about."""
    remarks = tags.remarks_of(environment=request.auth.environment, owner_id=form.userId)
    found = numbered.page(remarks, "about_id", number=form.page, size=form.size)
    return schemas.Remarks(
        total=remarks.count(),
        users=[schemas.ShownRemark(id=each.about_id, remark=each.text) for each in found],
    )


@router.post("/user/remarks/del.json", response=Done)
def remarks_del(request: Request, form: Form[schemas.RemarksDel]) -> Any:
    """Forget what a user calls another."""
    tags.remove_remark(**request.auth.who_and_when, owner_id=form.userId, about_id=form.targetId)
    return Done()


@router.post("/user/blockPushPeriod/set.json", response=Done)
def push_period_set(request: Request, form: Form[schemas.PushPeriod]) -> Any:
    """When, each day, and how far a user is to be left in peace."""
    period = {"start": form.startTime, "minutes": form.period, "level": int(form.level)}
    return _set_quiet_period(request, form.userId, period)


@router.post("/user/blockPushPeriod/get.json", response=schemas.PushPeriodAnswer)
def push_period_get(request: Request, form: Form[schemas.User]) -> Any:
    """When a user wants no pushes."""
    period = _NO_PERIOD
    with suppress(UnknownUsers):
        user = profiles.get(environment=request.auth.environment, user_id=form.userId)
        period = user.push_settings.get(profiles.QUIET_PERIOD) or _NO_PERIOD
    return schemas.PushPeriodAnswer(
        data=schemas.ShownPushPeriod(
            startTime=period["start"], period=period["minutes"], unPushLevel=period["level"]
        )
    )


@router.post("/user/blockPushPeriod/delete.json", response=Done)
def push_period_delete(request: Request, form: Form[schemas.User]) -> Any:
    """Let pushes through at any time."""
    return _set_quiet_period(request, form.userId, "")


def _set_quiet_period(request: Request, user_id: str, period: Any) -> Done:
    """Nobody pushes to an id that is not registered: nothing is kept for it, and nothing wrong."""
    with suppress(UnknownUsers):
        settings = {profiles.QUIET_PERIOD: period}
        profiles.update(**request.auth.who_and_when, user_id=user_id, push_settings=settings)
    return Done()
