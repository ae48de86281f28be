"""The list of users and a user's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.counting import count
from applications.keyset import Keyset
from applications.models import AuditEvent, Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.audit import sentences
from console.users.filters import ORDERS, Listing
from moderation import gates
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry
from users import deactivation, deletion, identity, presence, undo
from users.models import AppUser, AppUserQuerySet, Connection, DeactivatedUser

NEWEST_FIRST = ORDERS[""].keyset
TIMELINE = Keyset("-id")
TIMELINE_SIZE = 20
MOST_CONNECTIONS = 50  # shown
# Tabs whose users are those that another table names.
LOOKED_UP = {"online", "banned"}


# --- The list ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A user and the state that the list shows."""

    user: AppUser
    ban: Ban | None
    online: bool


@require_safe
@in_environment(Permission.VIEW)
def user_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    now = timezone.now()
    prefix = _prefix(request.GET)
    listing = Listing(request.GET, prefix=prefix, tab=request.GET.get("tab", ""))
    tabs = _tabs(
        environment, _matching(environment, prefix), listing, request.GET.get("tab", ""), now
    )
    tab = next(tab for tab in tabs if tab["current"])
    page = responses.page(request, of=tab["users"], order=listing.keyset)
    context = {
        "listing": listing,
        "heads": listing.heads(),
        "filters": list(listing.chips()),
        "prefix": prefix,
        "possible": not prefix or identity.is_prefix(prefix),
        "tabs": tabs,
        "tab": tab["word"],
        "total": tabs[0]["count"],
        "users": page,
        "rows": _rows(environment, page.rows, now),
        "elsewhere": _elsewhere(environment, prefix, page.rows, now),
        "why_not_delete": _why_not_delete(request, environment),
    }
    return responses.shown(
        request, "console/users/index.html", context, fragment="console/users/_list.html"
    )


def listed(
    query: QueryDict, environment: Environment, now: datetime
) -> tuple[AppUserQuerySet, Listing]:
    """The users that the filters of a URL find, for the export."""
    prefix, tab = _prefix(query), query.get("tab", "")
    listing = Listing(query, prefix=prefix, tab=tab)
    tabs = _by_tab(environment, listing.applied(_matching(environment, prefix)), now)
    return next((users for word, _, users in tabs if word == tab), tabs[0][2]), listing


def _prefix(query: QueryDict) -> str:
    return query.get("q", "").strip()


def _matching(environment: Environment, prefix: str) -> AppUserQuerySet:
    users = AppUser.objects.in_environment(environment)
    if environment.is_development:
        users = users.select_related("place")
    if not prefix:
        return users
    return users.with_prefix(prefix) if identity.is_prefix(prefix) else users.none()


def _by_tab(
    environment: Environment, users: AppUserQuerySet, now: datetime
) -> list[tuple[str, str, AppUserQuerySet]]:
    banned = Ban.objects.in_force(now).filter(
        environment=OuterRef("environment"), user_id=OuterRef("user_id")
    )
    tabs = [
        ("", gettext("All"), users),
        ("never", gettext("Never connected"), users.never_connected()),
        ("online", gettext("Online"), users.online(now)),
        ("banned", gettext("Banned"), users.filter(Exists(banned))),
    ]
    if environment.is_development:
        tabs += [
            ("leased", gettext("With a lease"), users.filter(place__lease_until__isnull=False)),
            ("pinned", gettext("Pinned"), users.filter(place__pinned_at__isnull=False)),
        ]
    return tabs


def _tabs(
    environment: Environment, users: AppUserQuerySet, listing: Listing, wanted: str, now: datetime
) -> list[dict[str, Any]]:
    tabs = _by_tab(environment, listing.applied(users), now)
    if wanted not in {word for word, _, _ in tabs}:
        wanted = ""
    return [
        {
            "word": word,
            "label": label,
            "users": found,
            "count": count(found, is_looked_up=word in LOOKED_UP),
            "current": word == wanted,
        }
        for word, label, found in tabs
    ]


def _rows(environment: Environment, users: Sequence[AppUser], now: datetime) -> list[Row]:
    ids = [user.user_id for user in users]
    bans = {
        ban.user_id: ban
        for ban in Ban.objects.in_force(now).filter(environment=environment, user_id__in=ids)
    }
    online = presence.online(environment=environment, user_ids=ids, now=now)
    return [Row(user, bans.get(user.user_id), user.user_id in online) for user in users]


def _elsewhere(
    environment: Environment, wanted: str, found: Sequence[AppUser], now: datetime
) -> "Subject | None":
    """The exact id of the search if it is not registered, but deactivated or banned."""
    if not identity.is_prefix(wanted) or any(user.user_id == wanted for user in found):
        return None
    subject = _subject(environment, wanted, now)
    return subject if subject.user is None and (subject.tombstone or subject.ban) else None


def _why_not_delete(request: MemberRequest, environment: Environment) -> str:
    """The reason, or "" if this member may delete users here."""
    if not environment.is_development:
        return str(deletion.NotInProduction())
    if not request.access.may[Permission.MANAGE_USERS]:
        return request.access.needs[Permission.MANAGE_USERS]
    return ""


# --- One user ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Subject:
    """A user id. It is registered, deactivated, or neither; each of these may be banned."""

    user_id: str
    user: AppUser | None
    tombstone: DeactivatedUser | None
    ban: Ban | None

    @property
    def name(self) -> str:
        return self.user.name if self.user else ""


def _subject(environment: Environment, user_id: str, now: datetime) -> Subject:
    here = {"environment": environment, "user_id": user_id}
    return Subject(
        user_id=user_id,
        user=AppUser.objects.select_related("place").filter(**here).first(),
        tombstone=DeactivatedUser.objects.filter(**here).first(),
        ban=Ban.objects.in_force(now).filter(**here).first(),
    )


def _is_known(environment: Environment, user_id: str) -> bool:
    """Whether past bans, lists or the audit name this id. For an id that is neither registered nor
    deactivated nor banned.
    """
    return any(
        found.exists()
        for found in (
            AuditEvent.objects.filter(environment=environment).about(user_id),
            Ban.objects.filter(environment=environment, user_id=user_id),
            BlocklistEntry.objects.of(environment, user_id),
            BlocklistEntry.objects.naming(environment, user_id),
            AllowlistEntry.objects.of(environment, user_id),
            AllowlistEntry.objects.naming(environment, user_id),
            AllowlistSwitch.objects.filter(environment=environment, owner_id=user_id),
        )
    )


@require_safe
@in_environment(Permission.VIEW)
def user_detail(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    """The page of an id. An id that is deactivated, deleted, or banned without being registered has
    a page that says so. It is 404 only if nothing in the environment has ever named the id.
    """
    now = timezone.now()
    try:
        subject = _subject(environment, identity.check_user_id(user_id), now)
    except identity.InvalidUserId as error:
        raise Http404 from error
    if not (subject.user or subject.tombstone or subject.ban or _is_known(environment, user_id)):
        raise Http404
    connections = list(
        Connection.objects.alive(now)
        .for_users(environment, [user_id])
        .order_by("-connected_at", "-pk")[:MOST_CONNECTIONS]
    )
    events = responses.page(
        request,
        of=AuditEvent.objects.filter(environment=environment).about(user_id),
        order=TIMELINE,
        size=TIMELINE_SIZE,
    )
    context = {
        **_deleted(environment, subject, now),
        "subject": subject,
        "user_id": user_id,
        "connections": connections,
        "verdict": gates.may_connect(environment=environment, user_id=user_id, now=now),
        "tokens_valid_from": _tokens_valid_from(environment, subject),
        "possible_from": subject.tombstone
        and deactivation.reactivation_possible_from(
            environment=environment, tombstone=subject.tombstone, now=now
        ),
        "events": events,
        "lines": sentences.lines(events.rows),
        "why_not_delete": _why_not_delete(request, environment),
    }
    target = request.htmx.target if request.htmx else ""  # type: ignore[attr-defined]
    fragment = {"timeline": "_timeline", "panel": "_panel"}.get(target, "_detail")
    return responses.shown(
        request,
        "console/users/detail.html",
        context,
        fragment=f"console/users/{fragment}.html",
    )


def _deleted(environment: Environment, subject: Subject, now: datetime) -> dict[str, Any]:
    """The last life of the id if it was deleted lately, and why that cannot be undone, or ""."""
    if subject.user or not environment.is_development:
        return {}
    deleted = undo.last_life(environment=environment, user_id=subject.user_id, now=now)
    if deleted is None:
        return {}
    refused = undo.refusals(environment=environment, deleted=[deleted], now=now)
    return {
        "deleted": deleted,
        "why_not_undo": refused[deleted.pk].value if deleted.pk in refused else "",
    }


def _tokens_valid_from(environment: Environment, subject: Subject) -> datetime | None:
    """Tokens of this user that were issued before this moment are invalid."""
    moments = (subject.user and subject.user.tokens_valid_from, environment.tokens_valid_from)
    return max((moment for moment in moments if moment), default=None)
