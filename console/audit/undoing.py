"""Undo a change from its line of the audit trail: put back what was before.

Invariant: a change is undone only while it is the present state. Who changed it again meanwhile
loses nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from applications.access import Permission
from applications.audit_types import AuditType
from applications.lazy_texts import gettext_lazy
from applications.models import AuditEvent, Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import sentence
from moderation import lists, mutes
from moderation.models import Mute
from users import attributes, friend_permissions, friends, hosted_profiles, profiles, tags
from users.models import AppUser, FriendPermission, Friendship
from users.tokens import UnknownUsers

Who = dict[str, Any]  # environment, by, now


@dataclass(frozen=True)
class Inverse:
    """How one type of change is undone. `holds`: whether it is the present state."""

    label: str
    permission: Permission
    holds: Callable[[Environment, AuditEvent, datetime], bool]
    undo: Callable[[AuditEvent, Who], object]


def inverse(environment: Environment, event: AuditEvent, *, now: datetime) -> Inverse | None:
    """What undoes the line now; None if nothing does."""
    found = _INVERSES.get(event.type)
    if found is None or event.environment_id is None or not found.holds(environment, event, now):
        return None
    return found


@require_POST
@in_environment(Permission.MODERATE)
def line_undo(request: MemberRequest, environment: Environment, line_id: int) -> HttpResponse:
    event = get_object_or_404(AuditEvent, environment=environment, pk=line_id)
    here, now = page_url(environment, "audit:line", line_id), timezone.now()
    found = inverse(environment, event, now=now)
    if found is None:
        reason = gettext("Nothing to undo: it was changed again meanwhile, or it cannot be undone.")
        return responses.refused(request, reason, back=here)
    request.access.require(found.permission)
    try:
        found.undo(event, {"environment": environment, "by": acting_staff(request), "now": now})
    except _REFUSALS as error:
        return responses.refused(request, sentence(error), back=here)
    return responses.done(request, gettext("Undone"), to=here, events=["users-changed"])


_REFUSALS = (
    friends.NotFriends,
    friends.TooManyFriends,
    hosted_profiles.InvalidField,
    lists.ListFull,
    mutes.InvalidMuteEnd,
    UnknownUsers,
    attributes.AttributesTooLarge,
)


def _before(event: AuditEvent) -> dict[str, Any]:
    return event.before or {}


def _after(event: AuditEvent) -> dict[str, Any]:
    return event.after or {}


# --- Users ---------------------------------------------------------------------------------------


def _has_profile(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    after = _after(event)
    if not after.keys() <= {"name", "avatar_url"}:
        return False
    return AppUser.objects.filter(environment=environment, user_id=event.subject, **after).exists()


def _put_profile_back(event: AuditEvent, who: Who) -> None:
    profiles.update(user_id=event.subject, **_before(event), **who)


PERMISSIONS = {permission.label.lower(): permission for permission in FriendPermission}


def _has_permission(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    permission = PERMISSIONS.get(_after(event).get("permission", ""))
    users = AppUser.objects.filter(environment=environment, user_id=event.subject)
    return permission is not None and users.filter(friend_permission=permission).exists()


def _put_permission_back(event: AuditEvent, who: Who) -> None:
    permission = PERMISSIONS[_before(event)["permission"]]
    friend_permissions.change(user_ids=[event.subject], permission=permission, **who)


def _has_tags(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    [found] = tags.tags_of(environment=environment, user_ids=[event.subject]).values()
    return found == _after(event).get("tags")


def _put_tags_back(event: AuditEvent, who: Who) -> None:
    tags.set_tags(user_ids=[event.subject], tags=_before(event)["tags"], **who)


def _has_attributes(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    found = attributes.get(environment=environment, user_id=event.subject)
    return all(found.get(key) == value for key, value in _after(event).items())


def _put_attributes_back(event: AuditEvent, who: Who) -> None:
    values = {key: value or "" for key, value in _before(event).items()}  # "" removes one
    attributes.merge(user_id=event.subject, values=values, **who)


def _has_fields(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    """A field that was not there before cannot be removed alone."""
    found = hosted_profiles.get_many(environment=environment, user_ids=[event.subject])
    if not found or None in _before(event).values():
        return False
    fields = {**found[0].basic, **found[0].extended}
    return all(fields.get(key) == value for key, value in _after(event).items())


def _put_fields_back(event: AuditEvent, who: Who) -> None:
    ours = {*hosted_profiles.TEXT_FIELDS, *hosted_profiles.NUMBER_FIELDS}
    before = _before(event)
    hosted_profiles.set_fields(
        user_id=event.subject,
        basic={key: value for key, value in before.items() if key in ours},
        extended={key: value for key, value in before.items() if key not in ours},
        **who,
    )


# --- Friends -------------------------------------------------------------------------------------


def _side(environment: Environment, event: AuditEvent) -> Friendship | None:
    friend_id = _after(event).get("friend")
    return Friendship.objects.of(environment, event.subject).filter(friend_id=friend_id).first()


def _are_friends(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    return _side(environment, event) is not None


def _end_friendship(event: AuditEvent, who: Who) -> None:
    friends.remove(user_id=event.subject, friend_ids=[_after(event)["friend"]], **who)


def _has_alias(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    side, after = _side(environment, event), _after(event)
    return side is not None and all(
        getattr(side, name) == after[name] for name in ("alias", "extended") if name in after
    )


def _put_alias_back(event: AuditEvent, who: Who) -> None:
    before = _before(event)
    friends.describe(
        user_id=event.subject,
        friend_id=before["friend"],
        alias=before.get("alias"),
        extended=before.get("extended"),
        **who,
    )


# --- Moderation ----------------------------------------------------------------------------------


def _added(user_list: lists.UserList) -> Inverse:
    def are_listed(environment: Environment, event: AuditEvent, now: datetime) -> bool:
        listed = _after(event).get("listed", [])
        among = user_list.among(environment=environment, owner_id=event.subject, others=listed)
        return bool(listed) and among == set(listed)

    def remove(event: AuditEvent, who: Who) -> None:
        user_list.remove(owner_id=event.subject, listed_ids=_after(event)["listed"], **who)

    return Inverse(
        gettext_lazy("Remove from the list again"), Permission.MODERATE, are_listed, remove
    )


def _removed(user_list: lists.UserList) -> Inverse:
    def are_gone(environment: Environment, event: AuditEvent, now: datetime) -> bool:
        listed = _before(event).get("listed", [])
        return bool(listed) and not user_list.among(
            environment=environment, owner_id=event.subject, others=listed
        )

    def add(event: AuditEvent, who: Who) -> None:
        user_list.add(owner_id=event.subject, listed_ids=_before(event)["listed"], **who)

    return Inverse(gettext_lazy("Put on the list again"), Permission.MODERATE, are_gone, add)


def _is_switched(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    on = lists.allowlists_on(environment=environment, owner_ids=[event.subject])
    return bool(on) == _after(event).get("on")


def _switch_back(event: AuditEvent, who: Who) -> None:
    lists.switch_allowlist(owner_ids=[event.subject], on=_before(event)["on"], **who)


def _mute_of(environment: Environment, event: AuditEvent, channel: str, now: datetime) -> Any:
    in_force = mutes.by_channel(environment=environment, user_id=event.subject, now=now)
    return in_force.get(Mute.Channel(channel)) if channel in Mute.Channel.values else None


def _is_muted(environment: Environment, event: AuditEvent, now: datetime) -> bool:
    mute = _mute_of(environment, event, _after(event).get("channel", ""), now)
    return mute is not None and mute.imposed_at == event.at


def _unmute(event: AuditEvent, who: Who) -> None:
    channel = Mute.Channel(_after(event)["channel"])
    mutes.lift(user_ids=[event.subject], channel=channel, **who)


_USERS, _MODERATE = Permission.MANAGE_USERS, Permission.MODERATE
_INVERSES: dict[str, Inverse] = {
    AuditType.USER_UPDATED: Inverse(
        gettext_lazy("Put back"), _USERS, _has_profile, _put_profile_back
    ),
    AuditType.FRIEND_PERMISSION_CHANGED: Inverse(
        gettext_lazy("Put back"), _USERS, _has_permission, _put_permission_back
    ),
    AuditType.TAGS_CHANGED: Inverse(gettext_lazy("Put back"), _USERS, _has_tags, _put_tags_back),
    AuditType.ATTRIBUTES_CHANGED: Inverse(
        gettext_lazy("Put back"), _USERS, _has_attributes, _put_attributes_back
    ),
    AuditType.PROFILE_CHANGED: Inverse(
        gettext_lazy("Put back"), _USERS, _has_fields, _put_fields_back
    ),
    AuditType.FRIEND_DESCRIBED: Inverse(
        gettext_lazy("Put back"), _USERS, _has_alias, _put_alias_back
    ),
    AuditType.FRIEND_ADDED: Inverse(
        gettext_lazy("End the friendship"), _USERS, _are_friends, _end_friendship
    ),
    AuditType.BLOCKLIST_ADDED: _added(lists.blocklist),
    AuditType.BLOCKLIST_REMOVED: _removed(lists.blocklist),
    AuditType.ALLOWLIST_ADDED: _added(lists.allowlist),
    AuditType.ALLOWLIST_REMOVED: _removed(lists.allowlist),
    AuditType.ALLOWLIST_SWITCHED: Inverse(
        gettext_lazy("Switch back"), _MODERATE, _is_switched, _switch_back
    ),
    AuditType.MUTE_IMPOSED: Inverse(gettext_lazy("Lift the mute"), _MODERATE, _is_muted, _unmute),
}
