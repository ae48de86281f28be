"""Bans: a user may not connect until the ban expires or is lifted.

Invariants
----------
* The clock alone ends a ban: it is in force while `expires_at > now`. The sweep writes down what
  time has decided, so a late worker keeps nobody out and lets nobody in.
* A user has at most one open ban; the database holds that. Banning a banned user replaces the ban,
  and the ledger keeps the old end.
* Every ban is closed exactly once, by whoever gets there first, with its audit line in the same
  transaction.
* Imposing a ban asks every gateway process to close the user's connections, in the same
  transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from applications import audit
from applications.audit import Actor
from applications.models import Environment
from moderation import stakes
from moderation.models import NEVER, Ban, SweepRun
from users import identity, presence

SWEEP_BATCH = 500
SWEEP = Actor.system("ban sweep")
# Beyond this, the sweep counts as overdue on the health page.
OVERDUE_AFTER = timedelta(minutes=1)


class InvalidEnd(Exception):
    """A ban must end after it starts, and before `NEVER`."""


class BanOver(Exception):
    """The ban is not in force any more, or has been changed meanwhile."""

    def __init__(self, user_ids: Iterable[str] = ()):
        self.user_ids = sorted(user_ids)
        super().__init__(f"Not banned any more: {', '.join(self.user_ids)}")


@transaction.atomic
def impose(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    expires_at: datetime | None,
    reason: str,
    by: Actor,
    now: datetime,
) -> list[Ban]:
    """Ban these ids, registered or not, until `expires_at`; None is permanent. All or none.

    Who is banned already gets the new end. Raises `InvalidEnd`, `identity.InvalidUserId`,
    `stakes.ReasonNeeded`.
    """
    _check_end(expires_at, now)
    wanted = identity.check_user_ids(user_ids)
    stakes.require_reason(environment, dict.fromkeys(wanted, reason), expires_at=expires_at, by=by)
    identity.lock(environment, wanted)
    terms = dict.fromkeys(wanted, _Terms(expires_at, reason))
    return _impose(environment, terms, by=by, now=now)


@transaction.atomic
def change(
    *,
    environment: Environment,
    ban_id: int,
    expires_at: datetime | None,
    reason: str,
    by: Actor,
    now: datetime,
) -> Ban:
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
    terms = {ban.user_id: _Terms(expires_at, reason)}
    [changed] = _impose(environment, terms, by=by, now=now)
    return changed


@transaction.atomic
def change_several(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    expires_at: datetime | None,
    reason: str | None = None,
    by: Actor,
    now: datetime,
) -> list[Ban]:
    """Give the bans of these users another end, all or none; a reason of None leaves each its own.

    Unlike `impose` it bans nobody anew: raises `BanOver` with those who are not banned any more,
    `InvalidEnd`, and `stakes.ReasonNeeded` where one of them has none so far.
    """
    _check_end(expires_at, now)
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    banned = Ban.objects.in_force(now).filter(environment=environment, user_id__in=wanted)
    reasons = dict(banned.values_list("user_id", "reason"))
    if over := set(wanted) - set(reasons):
        raise BanOver(over)
    terms = {
        user_id: _Terms(expires_at, reasons[user_id] if reason is None else reason)
        for user_id in wanted
    }
    given = {user_id: each.reason for user_id, each in terms.items()}
    stakes.require_reason(environment, given, expires_at=expires_at, by=by)
    return _impose(environment, terms, by=by, now=now)


@dataclass(frozen=True)
class _Terms:
    """What is decided about one user; `since` where the ban goes on from a lifted one."""

    expires_at: datetime | None
    reason: str
    since: datetime | None = None


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and not now < expires_at < NEVER:
        raise InvalidEnd("A ban must end in the future.")


def _impose(
    environment: Environment, terms: Mapping[str, _Terms], *, by: Actor, now: datetime
) -> list[Ban]:
    """Replace the bans in force, begin the others. The caller holds the ids' lock."""
    before = {ban.user_id: ban for ban in _close_open(environment, list(terms), now=now, by=by)}
    bans = Ban.objects.bulk_create(
        Ban(
            environment=environment,
            user_id=user_id,
            reason=given.reason,
            imposed_at=now,
            imposed_by=by.name,
            imposed_via=by.via,
            banned_since=before[user_id].banned_since if user_id in before else given.since or now,
            expires_at=given.expires_at,
        )
        for user_id, given in terms.items()
    )
    presence.request_disconnect(
        environment=environment,
        user_ids=terms,
        reason="banned",
        now=now,
        until={user_id: given.expires_at for user_id, given in terms.items()},
    )
    for type, chosen in (
        ("ban.imposed", [ban for ban in bans if ban.user_id not in before]),
        ("ban.changed", [ban for ban in bans if ban.user_id in before]),
    ):
        audit.record_many(
            type,
            environment=environment,
            by=by,
            now=now,
            changes=[
                (
                    ban.user_id,
                    _said(before[ban.user_id]) if ban.user_id in before else None,
                    _said(ban),
                )
                for ban in chosen
            ],
        )
    return bans


@transaction.atomic
def lift(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> list[str]:
    """End the bans of these ids now; the ids that were banned. Not to be banned is no error."""
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    lifted = _close_open(environment, wanted, now=now, by=by, outcome=Ban.Outcome.LIFTED)
    audit.record_many(
        "ban.lifted",
        environment=environment,
        by=by,
        now=now,
        changes=[(ban.user_id, _said(ban), None) for ban in lifted],
    )
    return [ban.user_id for ban in lifted]


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
        ban.user_id: _Terms(ban.expires_at, ban.reason, since=ban.banned_since) for ban in lifted
    }
    _impose(environment, terms, by=by, now=now)
    return [user_id for user_id in wanted if user_id in terms]


def _close_open(
    environment: Environment,
    user_ids: Sequence[str],
    *,
    now: datetime,
    by: Actor,
    outcome: Ban.Outcome = Ban.Outcome.REPLACED,
) -> list[Ban]:
    """Close what is open for these ids: what is over as expired, the rest with `outcome`. Answers
    with the rest. The caller holds the ids' lock; the rows' lock keeps the sweep away.
    """
    opened = list(
        Ban.objects.open()
        .filter(environment=environment, user_id__in=user_ids)
        .select_for_update()
        .order_by("pk")
    )
    in_force = [ban for ban in opened if ban.is_in_force(now)]
    over = [ban for ban in opened if not ban.is_in_force(now)]
    for ban in over:
        ban.environment = environment
    _close(over, outcome=Ban.Outcome.EXPIRED, by=SWEEP, now=now)
    _record_expired(over, now=now)
    _close(in_force, outcome=outcome, by=by, now=now)
    return in_force


def _close(bans: Sequence[Ban], *, outcome: Ban.Outcome, by: Actor, now: datetime) -> None:
    if bans:
        Ban.objects.open().filter(pk__in=[ban.pk for ban in bans]).update(
            closed_at=now, closed_by=by.name, closed_via=by.via, outcome=outcome
        )


def _record_expired(bans: Sequence[Ban], *, now: datetime) -> None:
    audit.write(
        audit.line(
            "ban.expired",
            by=SWEEP,
            now=now,
            application_id=ban.environment.application_id,
            environment_id=ban.environment_id,
            subject=ban.user_id,
            before=_said(ban),
        )
        for ban in bans
    )


@transaction.atomic
def expire_due(*, now: datetime, limit: int = SWEEP_BATCH) -> int:
    """Write down the end of up to `limit` bans that are over; how many. Safe to run twice, late,
    or side by side: what another sweep holds is skipped.
    """
    due = list(
        Ban.objects.due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("environment")
        .order_by("expires_at")[:limit]
    )
    _close(due, outcome=Ban.Outcome.EXPIRED, by=SWEEP, now=now)
    _record_expired(due, now=now)
    return len(due)


def note_sweep(*, closed: int, now: datetime) -> None:
    """Leave the sweep's pulse, for the health page."""
    SweepRun.objects.update_or_create(pk=1, defaults={"ran_at": now, "closed": closed})


def in_force(*, environment: Environment, user_ids: Iterable[str], now: datetime) -> dict[str, Ban]:
    """The bans that keep these users out: user_id → ban, for those who are banned."""
    bans = Ban.objects.in_force(now).filter(environment=environment, user_id__in=list(user_ids))
    return {ban.user_id: ban for ban in bans}


def latest(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, Ban]:
    """user_id → the last ban, in force or over, for those who ever were banned."""
    bans = (
        Ban.objects.filter(environment=environment, user_id__in=list(user_ids))
        .order_by("user_id", "-pk")
        .distinct("user_id")
    )
    return {ban.user_id: ban for ban in bans}


@dataclass(frozen=True)
class SweepHealth:
    """`most_overdue` is how long the oldest unclosed ban has been over; zero when none is."""

    last_run: datetime | None
    most_overdue: timedelta
    now: datetime

    @property
    def is_well(self) -> bool:
        return (
            self.last_run is not None
            and self.now - self.last_run < OVERDUE_AFTER
            and self.most_overdue < OVERDUE_AFTER
        )


def sweep_health(*, now: datetime) -> SweepHealth:
    run = SweepRun.objects.filter(pk=1).first()
    oldest = (
        Ban.objects.due(now).order_by("expires_at").values_list("expires_at", flat=True).first()
    )
    return SweepHealth(
        last_run=run.ran_at if run else None,
        most_overdue=now - oldest if oldest else timedelta(0),
        now=now,
    )


def _said(ban: Ban) -> dict[str, str | None]:
    return {
        "until": ban.expires_at.isoformat() if ban.expires_at else None,
        "reason": ban.reason,
    }
