"""The law of bans, said slowly: what `moderation_decide` does at once, in the ORM.

For one caller at a time; that it holds for many is proven in `tests/races`.
"""

from django.db import transaction

from applications import audit
from moderation import ban_ledger
from moderation.models import Ban
from users import presence
from users.models import KickReason
from users.presence import Kick


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
            before=ban_ledger.terms(former) if former else None,
            after=ban_ledger.terms(ban),
        )
    return bans


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
            before=ban_ledger.terms(ban),
        )
    return [ban.user_id for ban in lifted]


def _close_open(environment, user_ids, outcome, by, now):
    """Close what is open: what is over as expired, the rest with `outcome`. Answers the rest."""
    of_users = Ban.objects.open().filter(environment=environment, user_id__in=list(user_ids))
    opened = list(of_users.order_by("pk"))
    ban_ledger.close_expired([ban for ban in opened if not ban.is_in_force(now)], now=now)
    in_force = [ban for ban in opened if ban.is_in_force(now)]
    ban_ledger.close(in_force, outcome=outcome, by=by, now=now)
    return in_force
