"""The receipt of an act: what the audit trail, its seals and the gateways know of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest

from applications.audit_types import AuditType
from applications.models import AuditEvent, Environment
from applications.requests import own_request_id
from applications.vendors import Act
from console.api_calls import Sample, minutes, samples
from console.links import page_url
from moderation import bans
from moderation.models import Ban
from users import kick_reports

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
    known = set(AuditType)
    if event.environment_id is None or event.type not in known:
        return []
    after, before = event.after or {}, event.before or {}
    takes: dict[str, object] = {"user_id": event.subject}
    if event.type in {AuditType.BAN_IMPOSED, AuditType.BAN_CHANGED}:
        until = after.get("until")
        takes["minutes"] = minutes(datetime.fromisoformat(until) - event.at if until else None)
        return samples(environment, Act.BAN, host=host, takes=takes)
    act = _SAME_CALL.get(AuditType(event.type))
    if act is None:
        return []
    if act is Act.EXPIRE_TOKENS:
        issued_before = after.get("issued_before")
        moment = datetime.fromisoformat(issued_before) if issued_before else event.at
        takes["milliseconds"] = int(moment.timestamp() * 1000)
    listed = [*after.get("listed", ()), *before.get("listed", ())]
    takes["other_id"] = listed[0] if len(listed) == 1 else listed
    return samples(environment, act, host=host, takes=takes)


def undo(environment: Environment, event: AuditEvent, *, by: str, now: datetime) -> Undo | None:
    """What undoes the act now, if something does for the account `by`."""
    user_id = event.subject
    if event.type not in {AuditType.BAN_IMPOSED, AuditType.BAN_CHANGED, AuditType.BAN_LIFTED}:
        return None
    ban = bans.latest(environment=environment, user_ids=[user_id]).get(user_id)
    if ban is None or ban.ends_at <= now:
        return None
    if event.type == AuditType.BAN_LIFTED:
        if (ban.outcome, ban.closed_at, ban.closed_by) != (Ban.Outcome.LIFTED, event.at, by):
            return None
        url = page_url(environment, "bans:undo_lift", query={"user": user_id})
        return Undo("Ban again until the same end", url)
    if ban.outcome or ban.imposed_at != event.at:
        return None
    return Undo("Lift the ban", page_url(environment, "bans:lift", query={"user": user_id}))
