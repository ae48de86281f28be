"""RongCloud's calls about push notices: tags, remarks, quiet periods.

A quiet period of an id that is not registered is accepted but not stored: such an id gets no push
notices.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ninja import Body

from api import offset_paging
from api.calls import push
from api.rongcloud import schemas
from api.tables import Call
from api.vendor import Caller
from users import profiles, tags
from users.tokens import UnknownUsers

_NO_PERIOD: dict[str, Any] = {"start": "00:00:00", "minutes": 0, "level": 0}


def set_tags_of_one(caller: Caller, user_id: str, tags: Sequence[str]) -> None:
    """Replace a user's tags."""
    push.set_tags(caller, [user_id], tags)


def set_remarks(caller: Caller, user_id: str, remarks: Sequence[schemas.Remark]) -> None:
    """Set the names under which push notices to a user show other users."""
    texts = {each.id: each.remark for each in remarks}
    tags.set_remarks(**caller.who_and_when, owner_id=user_id, remarks=texts)


def remarks(caller: Caller, user_id: str, page: int, size: int) -> dict[str, Any]:
    """A user's remarks, sorted by the ids they are about."""
    found = tags.remarks_of(environment=caller.environment, owner_id=user_id)
    rows = offset_paging.page(found, "about_id", number=page, size=size)
    return {
        "total": found.count(),
        "users": [{"id": each.about_id, "remark": each.text} for each in rows],
    }


def remove_remark(caller: Caller, user_id: str, target_id: str) -> None:
    """Remove a user's remark about another."""
    tags.remove_remark(**caller.who_and_when, owner_id=user_id, about_id=target_id)


def set_quiet_period(
    caller: Caller, user_id: str, start_time: str, period: int, level: str
) -> None:
    """Set the daily period in which a user gets fewer push notices. Level 0: for every message, 1:
    for mentions alone, 5: for none.
    """
    _set_period(caller, user_id, {"start": start_time, "minutes": period, "level": int(level)})


def quiet_period(caller: Caller, user_id: str) -> dict[str, Any]:
    """A user's quiet period."""
    period = None
    with suppress(UnknownUsers):
        user = profiles.get(environment=caller.environment, user_id=user_id)
        period = user.push_settings.get(profiles.QUIET_PERIOD)
    return {"data": period or _NO_PERIOD}


def remove_quiet_period(caller: Caller, user_id: str) -> None:
    """Remove a user's quiet period."""
    _set_period(caller, user_id, "")


def _set_period(caller: Caller, user_id: str, period: Any) -> None:
    with suppress(UnknownUsers):
        settings = {profiles.QUIET_PERIOD: period}
        profiles.update(**caller.who_and_when, user_id=user_id, push_settings=settings)


CALLS = (
    Call("/user/tag/set.json", set_tags_of_one, schemas.TagSet, body=Body),
    Call("/user/tag/batch/set.json", push.set_tags, schemas.TagBatchSet, body=Body),
    Call("/user/tags/get.json", push.tags_of, schemas.TagsGet, schemas.TagsResponse),
    Call("/user/remarks/set.json", set_remarks, schemas.RemarksSet),
    Call("/user/remarks/get.json", remarks, schemas.RemarksGet, schemas.Remarks),
    Call("/user/remarks/del.json", remove_remark, schemas.RemarksDel),
    Call("/user/blockPushPeriod/set.json", set_quiet_period, schemas.PushPeriod),
    Call("/user/blockPushPeriod/get.json", quiet_period, schemas.User, schemas.PushPeriodResponse),
    Call("/user/blockPushPeriod/delete.json", remove_quiet_period, schemas.User),
)
