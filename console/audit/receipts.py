"""The receipt of an act: what the audit trail, its seals and the gateways know of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils.translation import gettext

from applications.access import Permission
from applications.audit_types import AuditType
from applications.models import AuditEvent, Environment
from applications.requests import own_request_id
from applications.vendors import Act
from console.api_calls import Sample, minutes, samples
from console.audit import undoing
from console.links import page_url
from moderation import bans
from moderation.models import Ban, Mute
from users import kick_reports
from users.undo import last_life

# An act is looked for among what its account has done since then.
LATELY = timedelta(minutes=5)
# Other lines of the same act that its receipt lists.
LISTED = 100
# Acts that app servers have calls for, beside bans, which take a duration.
_SAME_CALL = {
    AuditType.BAN_LIFTED: Act.LIFT,
    AuditType.USER_KICKED: Act.KICK,
    AuditType.USER_DELETED: Act.DELETE,
    AuditType.USER_TOKENS_EXPIRED: Act.EXPIRE_TOKENS,
    AuditType.BLOCKLIST_ADDED: Act.BLOCK,
    AuditType.BLOCKLIST_REMOVED: Act.UNBLOCK,
    AuditType.ALLOWLIST_ADDED: Act.ALLOW,
    AuditType.ALLOWLIST_REMOVED: Act.DISALLOW,
    AuditType.USER_REGISTERED: Act.REGISTER,
    AuditType.USER_UPDATED: Act.UPDATE,
    AuditType.USER_DEACTIVATED: Act.DEACTIVATE,
    AuditType.USER_REACTIVATED: Act.REACTIVATE,
    AuditType.MUTE_IMPOSED: Act.MUTE,
    AuditType.MUTE_LIFTED: Act.UNMUTE,
    AuditType.FRIEND_ADDED: Act.BEFRIEND,
    AuditType.FRIEND_REMOVED: Act.UNFRIEND,
    AuditType.FRIEND_PERMISSION_CHANGED: Act.PERMIT_FRIENDS,
}
# Acts that close connections, so that "none was open" is worth saying.
_CLOSES = {
    AuditType.BAN_IMPOSED,
    AuditType.BAN_CHANGED,
    AuditType.USER_DELETED,
    AuditType.USER_DEACTIVATED,
    AuditType.USER_KICKED,
    AuditType.TOKENS_REVOKED,
}


@dataclass(frozen=True)
class Undo:
    """A POST that undoes an act."""

    label: str
    url: str
    permission: Permission = Permission.MODERATE


def url_of_act(request: HttpRequest, *, now: datetime) -> str:
    """The URL of the receipt of what this request has just done; "" if it wrote no line."""
    environment = getattr(request, "environment", None)
    if environment is None:
        return ""
    mine = AuditEvent.objects.filter(
        actor=request.user.get_username(),
        request_id=own_request_id(request),
        at__gte=now - LATELY,
    ).order_by("-at", "-id")
    line = (
        mine.filter(environment=environment).first()
        or mine.filter(environment=None, application=environment.application_id).first()
    )
    return page_url(environment, "audit:line", line.pk) if line else ""


def same_act(event: AuditEvent) -> list[AuditEvent]:
    """The other lines that the same act wrote, one more than `LISTED` at most."""
    lines = AuditEvent.objects.filter(
        application=event.application_id,
        environment=event.environment_id,
        at=event.at,
        actor_kind=event.actor_kind,
        actor=event.actor,
        via=event.via,
        request_id=event.request_id,
    )
    return list(lines.exclude(pk=event.pk).order_by("pk")[: LISTED + 1])


def outcome(environment: Environment, event: AuditEvent) -> kick_reports.Outcome | None:
    """What became of the connections; None for acts that close none."""
    if event.environment_id is None:
        return None
    subject = "" if event.type == AuditType.TOKENS_REVOKED else event.subject
    found = kick_reports.outcome(environment=environment, user_id=subject, kicked_at=event.at)
    return found if found.connections or event.type in _CLOSES else None


def same_calls(environment: Environment, event: AuditEvent, *, host: str) -> list[Sample]:
    """The calls that do the same as the act; none for what app servers cannot do."""
    act = _same_act(event)
    return samples(environment, act, host=host, takes=_takes(event)) if act else []


def _same_act(event: AuditEvent) -> Act | None:
    if event.environment_id is None or event.type not in set(AuditType):
        return None
    after, before = event.after or {}, event.before or {}
    if event.type in {AuditType.BAN_IMPOSED, AuditType.BAN_CHANGED}:
        return Act.BAN
    if event.type == AuditType.ALLOWLIST_SWITCHED:
        return Act.ALLOWLIST_ON if after.get("on") else Act.ALLOWLIST_OFF
    act = _SAME_CALL.get(AuditType(event.type))
    if act in {Act.MUTE, Act.UNMUTE} and Mute.Channel.DIRECT not in {
        after.get("channel"),
        before.get("channel"),
    }:
        return None  # the calls are about direct messages
    return act


def _takes(event: AuditEvent) -> dict[str, object]:
    """What the act took, in the words of `Act`."""
    after, before = event.after or {}, event.before or {}
    until, issued_before = after.get("until"), after.get("issued_before")
    moment = datetime.fromisoformat(issued_before) if issued_before else event.at
    friend = [after["friend"]] if after.get("friend") else []
    others = [*friend, *after.get("listed", ()), *before.get("listed", ())]
    others += before.get("friends", ())
    takes: dict[str, object] = {
        "user_id": event.subject,
        "name": after.get("name") or event.subject,
        "minutes": minutes(datetime.fromisoformat(until) - event.at if until else None),
        "milliseconds": int(moment.timestamp() * 1000),
        "other_id": others[0] if len(others) == 1 else others,
        "permission": undoing.PERMISSIONS.get(after.get("permission", ""), 1),
    }
    if event.type == AuditType.USER_UPDATED:
        takes |= {name: after[name] for name in ("name", "avatar_url") if name in after}
        if "name" not in after:
            del takes["name"]
    return takes


def undo(environment: Environment, event: AuditEvent, *, by: str, now: datetime) -> Undo | None:
    """What undoes the act now, if something does for the account `by`."""
    user_id = event.subject
    if found := undoing.inverse(environment, event, now=now):
        url = page_url(environment, "audit:undo", event.pk)
        return Undo(found.label, url, found.permission)
    if event.type == AuditType.USER_DELETED:
        deleted = last_life(environment=environment, user_id=user_id, now=now)
        if deleted is None or deleted.deleted_at != event.at:
            return None
        url = page_url(environment, "quota:undo", deleted.pk)
        return Undo(gettext("Bring the user back"), url, Permission.MANAGE_USERS)
    if event.type not in {AuditType.BAN_IMPOSED, AuditType.BAN_CHANGED, AuditType.BAN_LIFTED}:
        return None
    ban = bans.latest(environment=environment, user_ids=[user_id]).get(user_id)
    if ban is None or ban.ends_at <= now:
        return None
    if event.type == AuditType.BAN_LIFTED:
        if (ban.outcome, ban.closed_at, ban.closed_by) != (Ban.Outcome.LIFTED, event.at, by):
            return None
        url = page_url(environment, "bans:undo_lift", query={"user": user_id})
        return Undo(gettext("Ban again until the same end"), url)
    if ban.outcome or ban.imposed_at != event.at:
        return None
    return Undo(
        gettext("Lift the ban"), page_url(environment, "bans:lift", query={"user": user_id})
    )
