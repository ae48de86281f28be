"""What the search looks through, in the order of the results.

Invariant: a finder returns only what the member may open. Environments of applications of which the
account is not a member are never read.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from applications.access import applications_entered_by
from applications.call_evidence import lines_of_request
from applications.models import Application, AuditEvent, Environment
from console.access import MemberRequest
from console.audit import sentences
from console.components.navigation import entries
from console.links import page_url
from console.search.acts import acts
from console.search.hits import Group, Hit
from console.templatetags.words import said
from console.why.subjects import is_token
from moderation.models import Ban
from users import search
from users.evidence import is_user_id
from users.models import AppUser

MOST_USERS = 8
MOST_OTHERS = 5
WHY_ICON = "message-circle-question-mark"
# The latest acts of the member that are looked through for users.
RECENT = 50


def in_environment(
    request: MemberRequest, environment: Environment, text: str, *, now: datetime
) -> list[Group]:
    """The groups of results for a member who is in this environment."""
    if not text:
        why, *others = sorted(_pages(environment, ""), key=lambda page: page.icon != WHY_ICON)
        return [
            Group(gettext("Ask"), [why]),
            _recent(request, environment),
            Group(gettext("Pages"), others),
        ]
    if is_token(text):
        return [Group(gettext("Why?"), [_why(environment, text)])]
    found, mistake = acts(environment, request.access, text, now=now)
    users = _users(environment, text, now)
    return [
        Group(gettext("Do"), found, mistake),
        users,
        Group(gettext("Why?"), [] if found or mistake else [_why(environment, text)]),
        Group(gettext("Pages"), list(_pages(environment, text))),
        Group(gettext("Elsewhere"), list(_elsewhere(request, environment, text))),
        Group(gettext("Applications"), list(_applications(request.user, text, environment))),
        Group(gettext("Changes by this request"), list(_lines(environment, text))),
    ]


def everywhere(request: Any, text: str) -> list[Group]:
    """The groups of results outside of any environment."""
    return [
        Group(gettext("Users"), list(_elsewhere(request, None, text)) if text else []),
        Group(gettext("Applications"), list(_applications(request.user, text, None))),
    ]


def _why(environment: Environment, text: str) -> Hit:
    """The page "Why?" reads whatever was typed."""
    is_secret = is_token(text)
    return Hit(
        label=gettext("Why can a client with this access token not connect?")
        if is_secret
        else gettext("Why? {text}").format(text=text[:80]),
        detail=gettext("every rule, with its evidence"),
        url=page_url(environment, "why:index"),
        icon=WHY_ICON,
        opens="ask",
        fields={"q": text},
    )


def _users(environment: Environment, text: str, now: datetime) -> Group:
    found = search.find(environment=environment, text=text, most=MOST_USERS)
    note = "" if found.complete else gettext("There may be more. Type more letters to see others.")
    ids = [user.user_id for user in found.users]
    banned = set(
        Ban.objects.in_force(now)
        .filter(environment=environment, user_id__in=ids)
        .values_list("user_id", flat=True)
    )
    hits = [
        _user_hit(environment, user, "banned" if user.user_id in banned else "")
        for user in found.users
    ]
    return Group(gettext("Users"), hits, note)


def _user_hit(environment: Environment, user: AppUser, state: str = "", detail: str = "") -> Hit:
    return Hit(
        label=user.user_id,
        detail=detail or user.name,
        url=page_url(environment, "users:detail", user.user_id),
        icon="user",
        is_code=True,
        state=state,
    )


def _recent(request: MemberRequest, environment: Environment) -> Group:
    """The users whom the member has changed lately, the latest first."""
    lines = (
        AuditEvent.objects.filter(environment=environment, actor=request.user.get_username())
        .order_by("-at", "-pk")
        .only("type", "subject", "at")[:RECENT]
    )
    latest: dict[str, sentences.Line] = {}
    for line in sentences.lines(lines):
        if line.about_user and is_user_id(line.event.subject):
            latest.setdefault(line.event.subject, line)
    hits = [
        Hit(
            label=user_id,
            detail=line.words.sentence,
            url=page_url(environment, "users:detail", user_id),
            icon="history",
            is_code=True,
        )
        for user_id, line in list(latest.items())[:MOST_OTHERS]
    ]
    return Group(gettext("Recent"), hits)


def _pages(environment: Environment, text: str) -> Iterable[Hit]:
    wanted = text.lower()
    for entry in entries(environment):
        if wanted in entry["label"].lower():
            yield Hit(entry["label"], entry["url"], entry["icon"])


def _elsewhere(request: Any, here: Environment | None, text: str) -> Iterable[Hit]:
    """Users with exactly this id in other environments of the member."""
    if not is_user_id(text):
        return
    users = (
        AppUser.objects.filter(
            environment__application__in=applications_entered_by(request.user), user_id=text
        )
        .select_related("environment__application")
        .order_by("environment_id")
    )
    if here is not None:
        users = users.exclude(environment=here)
    for user in users[:MOST_OTHERS]:
        there = user.environment
        detail = gettext("in {application}, {kind}").format(
            application=there.application.name, kind=said(there.kind)
        )
        yield _user_hit(there, user, detail=detail)


def _applications(account: Any, text: str, here: Environment | None) -> Iterable[Hit]:
    """The member's applications by name, org name or app key, each with both environments."""
    wanted = text.lower()
    found: Iterable[Application] = applications_entered_by(account).prefetch_related("environments")
    hits = [
        Hit(
            label=f"{application.name}, {said(environment.kind)}",
            url=page_url(environment, "environment:index"),
            icon="box",
            detail=environment.app_key if wanted == environment.app_key else "",
        )
        for application in found
        for environment in application.environments.all()
        if _names(application, environment, wanted) and environment != here
    ]
    yield from hits[: 2 * MOST_OTHERS]
    if wanted and wanted in "overview all applications":
        yield Hit(gettext("Overview"), reverse("overview:index"), "layout-grid")


def _names(application: Application, environment: Environment, wanted: str) -> bool:
    words = f"{application.name}, {environment.kind} {application.org_name}".lower()
    return wanted in words or wanted == environment.app_key


def _lines(environment: Environment, text: str) -> Iterable[Hit]:
    if not text.isprintable():
        return
    lines = sentences.lines(lines_of_request(environment, text)[:MOST_OTHERS])
    for line in lines:
        yield Hit(
            label=line.words.sentence,
            detail=line.event.subject,
            url=page_url(environment, "why:index", query={"q": text, "as": "request"}),
            icon=line.words.icon,
        )
