"""What can be exported: for each list the rows that a page's filters find, and the columns of the
file.

Columns that an import has too are named as there (`transfers.kinds`), so an export can be imported.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import QueryDict

from applications import standby
from applications.keyset import Keyset
from applications.lazy_texts import gettext_lazy
from applications.models import AuditEvent, Environment
from console.audit import views as audit
from console.audit.words import words
from console.bans import views as bans
from console.mutes import views as mutes
from console.users import views as users
from moderation import lists
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry, ListEntry, Mute
from transfers import exports, files
from transfers.exports import Part
from transfers.files import Format
from transfers.models import ExportJob
from users import identity, kick_reports
from users.models import AppUser, Connection, DeactivatedUser, Friendship

AT_ONCE = 2_000
Found = tuple[QuerySet[Any], Keyset]
Rows = Iterator[list[Any]]


@dataclass(frozen=True)
class Source:
    """`found` takes the query of the list's page; `page` is that page."""

    name: str
    title: str
    page: str
    columns: tuple[str, ...]
    found: Callable[[QueryDict, Environment, datetime], Found]
    rows: Callable[[Environment, Sequence[Any], datetime], Rows]

    def part(
        self,
        environment: Environment,
        query: QueryDict,
        format: Format,
        *,
        cursor: str,
        now: datetime,
    ) -> Part:
        """The part of the file after `cursor`; the first one has the head."""
        rows, order = self.found(query, environment, now)
        page = standby.read(
            lambda database: order.page(rows.using(database), cursor=cursor, size=AT_ONCE), now=now
        )
        head = b"" if cursor else files.head(format, self.columns)
        body = files.rows(format, self.columns, self.rows(environment, page.rows, now))
        return Part(head + body, len(page.rows), page.next or "")


def _read(job: ExportJob, now: datetime) -> Part:
    """For the worker: the next part of the job."""
    query, format = QueryDict(job.query), Format(job.format)
    source = SOURCES[job.kind]
    return source.part(job.environment, query, format, cursor=job.cursor, now=now)


def _at(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _end(moment: datetime | None) -> str:
    return moment.isoformat() if moment else "permanent"


# --- Users ---------------------------------------------------------------------------------------


def _users(query: QueryDict, environment: Environment, now: datetime) -> Found:
    found, listing = users.listed(query, environment, now)
    here = {"environment": OuterRef("environment"), "user_id": OuterRef("user_id")}
    in_force = Ban.objects.in_force(now).filter(**here)
    annotated = found.annotate(
        is_online=Exists(Connection.objects.open(now).filter(**here)),
        is_banned=Exists(in_force),
        ban_ends=Subquery(in_force.values("expires_at")[:1]),
    )
    return annotated, listing.keyset


def _user_rows(environment: Environment, found: Sequence[AppUser], now: datetime) -> Rows:
    each: Any  # with the annotations
    for each in found:
        yield [
            *(each.user_id, each.name, each.avatar_url),
            *(_at(each.registered_at), _at(each.last_seen_at)),
            "yes" if each.is_online else "no",
            "yes" if each.is_banned else "no",
            _end(each.ban_ends) if each.is_banned else "",
        ]


def _with_prefix(query: QueryDict, rows: Any) -> Any:
    prefix = query.get("q", "").strip()
    if not prefix:
        return rows
    return rows.with_prefix(prefix) if identity.is_prefix(prefix) else rows.none()


def _deactivated(query: QueryDict, environment: Environment, now: datetime) -> Found:
    rows = DeactivatedUser.objects.filter(environment=environment)
    return _with_prefix(query, rows), Keyset("-deactivated_at", "-id")


def _deactivated_rows(environment: Environment, found: Sequence[Any], now: datetime) -> Rows:
    for each in found:
        yield [
            *(each.user_id, _at(each.deactivated_at), each.deactivated_by, each.via),
            *(each.operation_id, "yes" if each.was_registered else "no", _at(each.erased_at)),
        ]


def _friends(query: QueryDict, environment: Environment, now: datetime) -> Found:
    rows = Friendship.objects.filter(environment=environment)
    return rows, Keyset("owner_id", "id")


def _friend_rows(environment: Environment, found: Sequence[Friendship], now: datetime) -> Rows:
    for each in found:
        yield [each.owner_id, each.friend_id, each.alias, _at(each.added_at)]


# --- Moderation ----------------------------------------------------------------------------------


def _bans(query: QueryDict, environment: Environment, now: datetime) -> Found:
    found, tab = bans.listed(query, environment, now)
    return found, tab.order


def _ban_rows(environment: Environment, found: Sequence[Ban], now: datetime) -> Rows:
    """`connections_closed`: by the ban; only bans of the last `kick_reports.KEPT` have it."""
    closed = kick_reports.closed_at_moments(
        environment=environment, moments=[ban.imposed_at for ban in found]
    )
    for ban in found:
        yield [
            *(ban.user_id, ban.reason, _at(ban.imposed_at), ban.imposed_by, ban.imposed_via),
            *(_at(ban.banned_since), _end(ban.expires_at), ban.get_outcome_display()),
            *(_at(ban.closed_at), ban.closed_by, ban.closed_via),
            closed.get((ban.user_id, ban.imposed_at), ""),
        ]


def _mutes(query: QueryDict, environment: Environment, now: datetime) -> Found:
    return mutes.listed(query, environment, now), mutes.BY_ID


def _mute_rows(environment: Environment, found: Sequence[Mute], now: datetime) -> Rows:
    for mute in found:
        yield [
            *(mute.user_id, mute.channel, _end(mute.expires_at)),
            *(_at(mute.imposed_at), mute.imposed_by),
        ]


def _listed(model: Any) -> Callable[[QueryDict, Environment, datetime], Found]:
    def found(query: QueryDict, environment: Environment, now: datetime) -> Found:
        given = {f"{name}_id": query.get(name, "") for name in ("owner", "listed")}
        filters = {name: value for name, value in given.items() if value}
        if not all(map(identity.is_prefix, filters.values())):
            return model.objects.none(), lists.NEWEST_FIRST
        return model.objects.filter(environment=environment, **filters), lists.NEWEST_FIRST

    return found


def _entry_rows(environment: Environment, found: Sequence[ListEntry], now: datetime) -> Rows:
    for each in found:
        yield [each.owner_id, each.listed_id, _at(each.added_at), each.added_by]


def _allow_rows(environment: Environment, found: Sequence[ListEntry], now: datetime) -> Rows:
    switches = AllowlistSwitch.objects.filter(
        environment=environment, owner_id__in={each.owner_id for each in found}
    )
    on = set(switches.values_list("owner_id", flat=True))
    for each, row in zip(found, _entry_rows(environment, found, now), strict=True):
        yield [*row, "yes" if each.owner_id in on else "no"]


# --- Audit ---------------------------------------------------------------------------------------


def _audit(query: QueryDict, environment: Environment, now: datetime) -> Found:
    return audit.listed(query, environment), audit.NEWEST_FIRST


def _audit_rows(environment: Environment, found: Sequence[AuditEvent], now: datetime) -> Rows:
    for line in found:
        yield [
            *(line.pk, _at(line.at), line.type, words(line.type).sentence, line.subject),
            *(line.actor_kind, line.actor, line.via, line.address or "", line.request_id),
            *("" if value is None else _json(value) for value in (line.before, line.after)),
        ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_ENTRY = ("owner_id", "listed_id", "added_at", "added_by")
SOURCES = {
    source.name: source
    for source in (
        Source(
            *("users", gettext_lazy("Users"), "users:index"),
            (
                *("user_id", "name", "avatar_url", "registered_at", "last_seen_at"),
                *("online", "banned", "banned_until"),
            ),
            _users,
            _user_rows,
        ),
        Source(
            *("deactivated", gettext_lazy("Deactivated users"), "deactivated:index"),
            (
                *("user_id", "deactivated_at", "deactivated_by", "via", "operation_id"),
                *("was_registered", "erased_at"),
            ),
            _deactivated,
            _deactivated_rows,
        ),
        Source(
            *("friends", gettext_lazy("Friends"), "transfers:index"),
            ("user_id", "friend_id", "alias", "added_at"),
            _friends,
            _friend_rows,
        ),
        Source(
            *("bans", gettext_lazy("Bans"), "bans:index"),
            (
                *("user_id", "reason", "imposed_at", "imposed_by", "imposed_via"),
                *("banned_since", "expires_at", "outcome", "closed_at", "closed_by"),
                *("closed_via", "connections_closed"),
            ),
            _bans,
            _ban_rows,
        ),
        Source(
            *("mutes", gettext_lazy("Mutes"), "mutes:index"),
            ("user_id", "channel", "expires_at", "imposed_at", "imposed_by"),
            _mutes,
            _mute_rows,
        ),
        Source(
            *("blocklist", gettext_lazy("Blocklists"), "lists:index"),
            _ENTRY,
            _listed(BlocklistEntry),
            _entry_rows,
        ),
        Source(
            *("allowlist", gettext_lazy("Allowlists"), "lists:index"),
            (*_ENTRY, "switched_on"),
            _listed(AllowlistEntry),
            _allow_rows,
        ),
        Source(
            *("audit", gettext_lazy("Audit"), "audit:index"),
            (
                *("line", "at", "type", "sentence", "subject", "actor_kind", "actor", "via"),
                *("address", "request_id", "before", "after"),
            ),
            _audit,
            _audit_rows,
        ),
    )
}
exports.readers.update(dict.fromkeys(SOURCES, _read))
