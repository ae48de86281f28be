"""RongCloud's calls about what push notices go by: tags, remarks, quiet periods.

Nobody pushes to an id that is not registered: a quiet period of one is accepted and not kept.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ninja import Body

from api import numbered
from api.calls import push
from api.rongcloud import schemas
from api.tables import Call
from api.vendor import Caller
from users import profiles, tags
from users.tokens import UnknownUsers

_NO_PERIOD: dict[str, Any] = {"start": "00:00:00", "minutes": 0, "level": 0}


def set_tags_of_one(caller: Caller, user_id: str, tags: Sequence[str]) -> None:
    """A user's tags, in place of those there were."""
    push.set_tags(caller, [user_id], tags)


def set_remarks(caller: Caller, user_id: str, remarks: Sequence[schemas.Remark]) -> None:
    """What push notices to a user call others."""
    texts = {each.id: each.remark for each in remarks}
    tags.set_remarks(**caller.who_and_when, owner_id=user_id, remarks=texts)


def remarks(caller: Caller, user_id: str, page: int, size: int) -> dict[str, Any]:
    """A user's remarks, by the ids that they are about."""
    found = tags.remarks_of(environment=caller.environment, owner_id=user_id)
    rows = numbered.page(found, "about_id", number=page, size=size)
    return {
        "total": found.count(),
        "users": [{"id": each.about_id, "remark": each.text} for each in rows],
    }


def remove_remark(caller: Caller, user_id: str, target_id: str) -> None:
    """Forget what a user calls another."""
    tags.remove_remark(**caller.who_and_when, owner_id=user_id, about_id=target_id)


def set_quiet_period(
    caller: Caller, user_id: str, start_time: str, period: int, level: str
) -> None:
    """When, each day, and how far a user is to be left in peace. Level 0: every message is
    announced, 1: mentions alone, 5: none.
    """
    _keep(caller, user_id, {"start": start_time, "minutes": period, "level": int(level)})


def quiet_period(caller: Caller, user_id: str) -> dict[str, Any]:
    """When a user wants no pushes."""
    period = None
    with suppress(UnknownUsers):
        user = profiles.get(environment=caller.environment, user_id=user_id)
        period = user.push_settings.get(profiles.QUIET_PERIOD)
    return {"data": period or _NO_PERIOD}


def remove_quiet_period(caller: Caller, user_id: str) -> None:
    """Let pushes through at any time."""
    _keep(caller, user_id, "")


def _keep(caller: Caller, user_id: str, period: Any) -> None:
    with suppress(UnknownUsers):
        settings = {profiles.QUIET_PERIOD: period}
        profiles.update(**caller.who_and_when, user_id=user_id, push_settings=settings)


CALLS = (
    Call("/user/tag/set.json", set_tags_of_one, schemas.TagSet, takes=Body),
    Call("/user/tag/batch/set.json", push.set_tags, schemas.TagBatchSet, takes=Body),
    Call("/user/tags/get.json", push.tags_of, schemas.TagsGet, schemas.TagsAnswer),
    Call("/user/remarks/set.json", set_remarks, schemas.RemarksSet),
    Call("/user/remarks/get.json", remarks, schemas.RemarksGet, schemas.Remarks),
    Call("/user/remarks/del.json", remove_remark, schemas.RemarksDel),
    Call("/user/blockPushPeriod/set.json", set_quiet_period, schemas.PushPeriod),
    Call("/user/blockPushPeriod/get.json", quiet_period, schemas.User, schemas.PushPeriodAnswer),
    Call("/user/blockPushPeriod/delete.json", remove_quiet_period, schemas.User),
)
