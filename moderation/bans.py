"""Bans: a user may not connect until the ban expires or is lifted.

Invariants
----------
* The clock alone ends a ban: it is in force while `expires_at > now`. The sweep writes down what
  time has decided, so a late worker keeps nobody out and lets nobody in.
* A user has at most one open ban; the database holds that. Banning a banned user replaces the ban,
  and the ledger keeps the old end.
* Every ban is closed exactly once, by whoever gets there first, with its audit line in the same
  transaction.
* Whatever begins or ends a ban but the sweep goes through `moderation.decisions`.
* Imposing a ban asks every gateway process to close the user's connections, in the same
  transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from applications.audit import Actor
from applications.models import Environment
from applications.statements import Statement
from moderation import decisions, stakes
from moderation.decisions import Imposed, Terms
from moderation.models import NEVER, Ban
from users import identity


class InvalidEnd(Exception):
    """A ban must end after it starts, and before `NEVER`."""


class BanOver(Exception):
    """The ban is not in force any more, or has been changed meanwhile."""

    def __init__(self, user_ids: Iterable[str] = ()):
        self.user_ids = sorted(user_ids)
        super().__init__(
            gettext("Not banned any more: {names}").format(names=", ".join(self.user_ids))
        )


def impose(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    expires_at: datetime | None,
    reason: str,
    tell_reason: bool = False,
    by: Actor,
    now: datetime,
) -> list[Imposed]:
    """Ban these ids, registered or not, until `expires_at`; None is permanent. All or none.

    Who is banned already gets the new end. The users are told the end, the reason only if
    `tell_reason` says so, and never who banned them. Raises `InvalidEnd`, `identity.InvalidUserId`,
    `stakes.ReasonNeeded`.
    """
    wanted = identity.check_user_ids(user_ids)
    terms = dict.fromkeys(wanted, Terms(expires_at, reason, tell_reason))
    return impose_each(environment=environment, terms=terms, by=by, now=now)


def impose_each(
    *, environment: Environment, terms: Mapping[str, Terms], by: Actor, now: datetime
) -> list[Imposed]:
    """`impose`, with an end and a reason of each id's own."""
    for user_id, each in terms.items():
        identity.check_user_id(user_id)
        _check_end(each.expires_at, now)
    reasons = {user_id: each.reason for user_id, each in terms.items()}
    # One permanent ban among them makes all of them grave.
    latest = None if any(each.expires_at is None for each in terms.values()) else now
    stakes.require_reason(environment, reasons, expires_at=latest, by=by)
    return decisions.impose(environment, terms, by=by, now=now)


@transaction.atomic
def change(
    *,
    environment: Environment,
    ban_id: int,
    expires_at: datetime | None,
    reason: str,
    tell_reason: bool = False,
    by: Actor,
    now: datetime,
) -> Imposed:
    """Give one ban another end and reason. Raises `BanOver` when it is not in force any more, or
    somebody else has changed it since the caller looked; and `InvalidEnd`, `stakes.ReasonNeeded`.
    """
    _check_end(expires_at, now)
    ban = Ban.objects.filter(environment=environment, pk=ban_id).first()
    if ban is None:
        raise BanOver
    stakes.require_reason(environment, {ban.user_id: reason}, expires_at=expires_at, by=by)
    identity.lock(environment, [ban.user_id])
    if not Ban.objects.in_force(now).filter(pk=ban_id).exists():
        raise BanOver([ban.user_id])
    terms = {ban.user_id: Terms(expires_at, reason, tell_reason)}
    [changed] = decisions.impose(environment, terms, by=by, now=now)
    return changed


@transaction.atomic
def change_several(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    expires_at: datetime | None,
    reason: str | None = None,
    tell_reason: bool = False,
    by: Actor,
    now: datetime,
) -> list[Imposed]:
    """Give the bans of these users another end, all or none. A reason of None leaves each its own,
    told or not as it was; another reason is told only if `tell_reason` says so.

    Unlike `impose` it bans nobody anew: raises `BanOver` with those who are not banned any more,
    `InvalidEnd`, and `stakes.ReasonNeeded` where one of them has none so far.
    """
    _check_end(expires_at, now)
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    banned = in_force(environment=environment, user_ids=wanted, now=now)
    if over := set(wanted) - set(banned):
        raise BanOver(over)
    terms = {
        user_id: Terms(
            expires_at,
            banned[user_id].reason if reason is None else reason,
            tell_reason or (reason is None and banned[user_id].tell_reason),
        )
        for user_id in wanted
    }
    given = {user_id: each.reason for user_id, each in terms.items()}
    stakes.require_reason(environment, given, expires_at=expires_at, by=by)
    return decisions.impose(environment, terms, by=by, now=now)


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and not now < expires_at < NEVER:
        raise InvalidEnd(gettext("A ban must end in the future."))


def lift(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> list[str]:
    """End the bans of these ids now; the ids that were banned. Not to be banned is no error."""
    return decisions.lift(environment, identity.check_user_ids(user_ids), by=by, now=now)


@transaction.atomic
def undo_lift(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> list[str]:
    """Take back lifts of one's own: the bans go on, to their old ends. Answers with whom.

    Left alone is who has been banned since, whose ban somebody else has lifted, and whose ban would
    be over by now.
    """
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    of_users = Ban.objects.filter(environment=environment, user_id__in=wanted)
    latest = of_users.values("user_id").annotate(latest=Max("pk")).values("latest")
    lifted = of_users.filter(
        pk__in=latest, outcome=Ban.Outcome.LIFTED, closed_by=by.name, ends_at__gt=now
    )
    terms = {
        ban.user_id: Terms(ban.expires_at, ban.reason, ban.tell_reason, since=ban.banned_since)
        for ban in lifted
    }
    decisions.impose(environment, terms, by=by, now=now)
    return [user_id for user_id in wanted if user_id in terms]


def in_force(*, environment: Environment, user_ids: Iterable[str], now: datetime) -> dict[str, Ban]:
    """The bans that keep these users out: user_id → ban, for those who are banned."""
    bans = Ban.objects.in_force(now).filter(environment=environment, user_id__in=list(user_ids))
    return {ban.user_id: ban for ban in bans}


# As `BanQuerySet.in_force`. The rows before the page are skipped within the index.
_LAST_ENDS = Statement(
    "SELECT user_id, ends_at, id FROM moderation_ban WHERE id IN ("
    " SELECT id FROM moderation_ban"
    " WHERE environment_id = %s AND closed_at IS NULL AND ends_at > %s AND (ends_at, id) < (%s, %s)"
    " ORDER BY ends_at DESC, id DESC LIMIT %s OFFSET %s"
    ") ORDER BY ends_at DESC, id DESC"
)
_BEFORE_ALL = (datetime.max.replace(tzinfo=UTC), 0)


class LastEnd(NamedTuple):
    """A user with a ban in force; `NEVER` is the end of a permanent one."""

    user_id: str
    ends_at: datetime
    ban_id: int


def last_ends(
    *,
    environment: Environment,
    now: datetime,
    after: LastEnd | None = None,
    offset: int = 0,
    size: int,
) -> list[LastEnd]:
    """At most `size` users with bans in force, the latest end first, after the first `offset` of
    them; with `after`, of those that come after it.
    """
    place = (after.ends_at, after.ban_id) if after else _BEFORE_ALL
    return [LastEnd(*row) for row in _LAST_ENDS.rows(environment.pk, now, *place, size, offset)]


def latest(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, Ban]:
    """user_id → the last ban, in force or over, for those who ever were banned."""
    bans = (
        Ban.objects.filter(environment=environment, user_id__in=list(user_ids))
        .order_by("user_id", "-pk")
        .distinct("user_id")
    )
    return {ban.user_id: ban for ban in bans}
