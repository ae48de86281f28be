"""The law of bans, said slowly: what `moderation_decide` and the sweep do at once, in the ORM.

For one caller at a time; that it holds for many is proven in `tests/races`.
"""

from datetime import UTC

from django.db import transaction

from applications import audit
from applications.audit import Actor
from moderation.decisions import Imposed
from moderation.models import Ban
from users import presence
from users.models import KickReason
from users.presence import Kick

SWEEP = Actor.system("ban sweep")


@transaction.atomic
def impose(environment, terms, *, by, now):
    before = {ban.user_id: ban for ban in _close_open(environment, terms, "replaced", by, now)}
    bans = [
        Ban.objects.create(
            environment=environment,
            user_id=user_id,
            reason=given.reason,
            tell_reason=given.tell_reason,
            imposed_at=now,
            imposed_by=by.name,
            imposed_via=by.via,
            banned_since=before[user_id].banned_since if user_id in before else given.since or now,
            expires_at=given.expires_at,
        )
        for user_id, given in terms.items()
    ]
    presence.request_disconnect(
        environment=environment,
        kicks={
            ban.user_id: Kick(KickReason.BANNED, until=ban.expires_at, why=ban.told_reason)
            for ban in bans
        },
        now=now,
    )
    for ban in sorted(bans, key=lambda ban: ban.user_id in before):
        former = before.get(ban.user_id)
        audit.record(
            "ban.changed" if former else "ban.imposed",
            environment=environment,
            subject=ban.user_id,
            by=by,
            now=now,
            before=ban_terms(former) if former else None,
            after=ban_terms(ban),
        )
    return [Imposed(ban.pk, ban.user_id, ban.banned_since) for ban in bans]


@transaction.atomic
def lift(environment, user_ids, *, by, now):
    lifted = _close_open(environment, user_ids, "lifted", by, now)
    for ban in lifted:
        audit.record(
            "ban.lifted",
            environment=environment,
            subject=ban.user_id,
            by=by,
            now=now,
            before=ban_terms(ban),
        )
    return [ban.user_id for ban in lifted]


@transaction.atomic
def expire_due(*, now):
    due = Ban.objects.due(now).select_related("environment")
    bans = list(due.order_by("expires_at", "pk"))
    _close_expired(bans, now=now)
    return len(bans)


def _close_open(environment, user_ids, outcome, by, now):
    """Close what is open: what is over as expired, the rest with `outcome`. Answers the rest."""
    of_users = Ban.objects.open().filter(environment=environment, user_id__in=list(user_ids))
    opened = list(of_users.order_by("pk"))
    _close_expired([ban for ban in opened if not ban.is_in_force(now)], now=now)
    in_force = [ban for ban in opened if ban.is_in_force(now)]
    _close(in_force, outcome=outcome, by=by, now=now)
    return in_force


def _close_expired(bans, *, now):
    """`bans` with their environment."""
    _close(bans, outcome="expired", by=SWEEP, now=now)
    audit.write(
        audit.line(
            "ban.expired",
            by=SWEEP,
            now=now,
            application_id=ban.environment.application_id,
            environment_id=ban.environment_id,
            subject=ban.user_id,
            before=ban_terms(ban),
        )
        for ban in bans
    )


def _close(bans, *, outcome, by, now):
    """Give bans their end in the ledger, once."""
    Ban.objects.open().filter(pk__in=[ban.pk for ban in bans]).update(
        closed_at=now, closed_by=by.name, closed_via=by.via, outcome=outcome
    )


def ban_terms(ban):
    """What the audit trail says of a ban."""
    said = {
        "until": ban.expires_at.astimezone(UTC).isoformat() if ban.expires_at else None,
        "reason": ban.reason,
    }
    return said | {"tell_reason": True} if ban.tell_reason else said
