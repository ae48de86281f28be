"""Acts that somebody types into the search: "ban qa-7 for 3 days" opens the dialog, filled in.

The end of a ban or mute is read by `console.bans.durations`, as in the dialog itself. Nothing
happens before the member presses a button that says what it does.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from applications.access import Permission
from applications.models import Environment
from console.access import Access
from console.bans import durations
from console.identities import id_or_count
from console.links import page_url
from console.search.hits import Hit
from moderation.models import Mute
from users.evidence import is_user_id

# As many as a dialog's address can hold.
MOST_USERS = 20
_ACT = re.compile(r"(un-?ban|un-?mute|sign out|lift|ban|mute|kick|delete|register)\s+(.+)", re.I)
_REASON = re.compile(r"\s+(?:because|reason:?)\s+(.+)$", re.I)
_END = re.compile(r"\s+(?:for|until)\s+(.+)$|\s+(permanently|forever)$", re.I)
_FOREVER = {"permanently", "forever", "ever", "good"}


@dataclass(frozen=True)
class _Typed:
    """The parts of an act. `end` is "" if none was typed."""

    act: str
    user_ids: list[str]
    end: str
    reason: str

    @property
    def whom(self) -> str:
        return id_or_count(self.user_ids)


def acts(
    environment: Environment, access: Access, text: str, *, now: datetime
) -> tuple[list[Hit], str]:
    """The acts that the text means, and what is wrong with it, such as its duration."""
    typed = _typed(text)
    if typed is None:
        return [], ""
    match typed.act:
        case "ban" | "mute":
            return _with_end(environment, access, typed, now)
        case "unban" | "lift":
            return [_lift(environment, access, typed)], ""
        case "unmute":
            return _unmute(environment, access, typed), ""
        case "register":
            return _register(environment, access, typed), ""
    return _of_one(environment, access, typed), ""


def _typed(text: str) -> _Typed | None:
    found = _ACT.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    act, rest = found[1].lower().replace("-", ""), found[2]
    rest, reason = _cut(_REASON, rest)
    rest, end = _cut(_END, rest)
    user_ids = list(dict.fromkeys(each for each in re.split(r"[\s,;]+", rest) if each))
    if not 0 < len(user_ids) <= MOST_USERS or not all(map(is_user_id, user_ids)):
        return None
    return _Typed(act, user_ids, end, reason)


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """The text without the part that the pattern finds at its end, and that part."""
    found = pattern.search(text)
    if found is None:
        return text, ""
    return text[: found.start()], next(group for group in found.groups() if group)


def _hit(access: Access, permission: Permission, **fields: Any) -> Hit:
    return Hit(allowed=access.may[permission.value], needs=access.needs[permission.value], **fields)


def _with_end(
    environment: Environment, access: Access, typed: _Typed, now: datetime
) -> tuple[list[Hit], str]:
    ending: dict[str, str] = {}
    detail = gettext("The dialog asks for how long.")
    if typed.end.lower() in _FOREVER:
        ending, detail = {"until": "permanent"}, gettext("permanently")
    elif typed.end:
        try:
            end = durations.parse(typed.end, now=now)
        except durations.NotAnEnd as error:
            return [], str(error)
        ending = {"until": "custom", "custom": typed.end}
        detail = gettext("until {end:%Y-%m-%d %H:%M} UTC").format(end=end)
    name = "bans:impose" if typed.act == "ban" else "mutes:impose"
    label = gettext("Ban {whom}") if typed.act == "ban" else gettext("Mute {whom}")
    query = {"user": typed.user_ids, **ending, "reason": typed.reason}
    hit = _hit(
        access,
        Permission.MODERATE,
        label=label.format(whom=typed.whom),
        detail=f"{detail}: {typed.reason}" if typed.reason else detail,
        url=page_url(environment, name, query=query),
        icon="ban" if typed.act == "ban" else "volume-x",
        opens="dialog",
    )
    return [hit], ""


def _lift(environment: Environment, access: Access, typed: _Typed) -> Hit:
    return _hit(
        access,
        Permission.MODERATE,
        label=gettext("Lift the ban of {whom}").format(whom=typed.whom),
        url=page_url(environment, "bans:lift", query={"user": typed.user_ids}),
        icon="undo-2",
        opens="post",
    )


def _unmute(environment: Environment, access: Access, typed: _Typed) -> list[Hit]:
    query = {"channel": Mute.Channel.DIRECT.value, "user": typed.user_ids}
    return [
        _hit(
            access,
            Permission.MODERATE,
            label=gettext("Lift the mute of {whom}").format(whom=typed.whom),
            detail=gettext("in direct messages"),
            url=page_url(environment, "mutes:lift", query=query),
            icon="volume-2",
            opens="post",
        )
    ]


def _register(environment: Environment, access: Access, typed: _Typed) -> list[Hit]:
    if not environment.is_development:
        return []
    [user_id, *_] = typed.user_ids
    return [
        _hit(
            access,
            Permission.MANAGE_USERS,
            label=gettext("Register {user_id}").format(user_id=user_id),
            url=page_url(environment, "users:register", query={"user_id": user_id}),
            icon="user-plus",
            opens="dialog",
        )
    ]


# Act → label, page, icon, permission, how it opens.
_ONE = {
    "kick": (
        gettext_lazy("Close the connections of {user_id}"),
        "users:kick",
        "unplug",
        Permission.MODERATE,
        "post",
    ),
    "sign out": (
        gettext_lazy("Sign out {user_id}"),
        "users:sign_out",
        "log-out",
        Permission.MANAGE_USERS,
        "dialog",
    ),
    "delete": (
        gettext_lazy("Delete {user_id}"),
        "users:delete",
        "trash-2",
        Permission.MANAGE_USERS,
        "dialog",
    ),
}


def _of_one(environment: Environment, access: Access, typed: _Typed) -> list[Hit]:
    """An act on each of the users, on the page of that user."""
    if typed.act == "delete" and not environment.is_development:
        return []
    label, name, icon, permission, opens = _ONE[typed.act]
    return [
        _hit(
            access,
            permission,
            label=label.format(user_id=user_id),
            url=page_url(environment, name, user_id),
            icon=icon,
            opens=opens,
        )
        for user_id in typed.user_ids
    ]
