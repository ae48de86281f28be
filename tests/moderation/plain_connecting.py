"""The law of admission to the gateway, said slowly: what `moderation_connect` does at once, client
by client in the ORM.

For one caller at a time; that it holds for many is proven in `tests/gateway`.
"""

from django.db import transaction

from moderation.connecting import Admission, Entry
from tests.moderation import plain_gates
from users import messages, presence, tokens
from users.models import AppUser, Connection, KickReason


@transaction.atomic
def admit(applicants, *, gateway, now):
    return [_admit(each, gateway=gateway, now=now) for each in applicants]


def _admit(applicant, *, gateway, now):
    user_id = applicant.claims.user_id
    try:
        user = tokens.user_of(applicant.claims, app_key=applicant.app_key)
    except tokens.TokenOfAnotherEnvironment:
        return _refused(Entry.WRONG_ENVIRONMENT, now)
    except tokens.TokenOfFormerUser as former:
        gate = plain_gates.may_connect(environment=former.environment, user_id=user_id, now=now)
        if gate.rule in {Entry.BANNED, Entry.DEACTIVATED}:
            return _refused(Entry(gate.rule), now, gate)
        return _refused(Entry.DELETED, now)
    except tokens.TokenRevoked:
        return _refused(Entry.REVOKED_TOKEN, now)
    gate = plain_gates.may_connect(environment=user.environment, user_id=user_id, now=now)
    if not gate.allowed:
        return _refused(Entry(gate.rule), now, gate)
    held = Connection.objects.open(now).for_users(user.environment, [user_id])
    former = Connection.objects.for_users(user.environment, [user_id]).filter(
        seat=applicant.seat, kicked_at=None
    )
    if applicant.seat:
        held = held.exclude(seat=applicant.seat)
    if held.count() >= presence.MAX_CONNECTIONS:
        return _refused(Entry.TOO_MANY_CONNECTIONS, now)
    AppUser.objects.filter(pk=user.pk).update(last_seen_at=now)
    if applicant.seat:
        former.update(kicked_at=now, kick_reason=KickReason.REPLACED)
    connection = Connection.objects.create(
        gateway=gateway,
        environment=user.environment,
        user_id=user_id,
        device=applicant.device,
        platform=applicant.platform,
        address=applicant.address,
        seat=applicant.seat,
        connected_at=now,
    )
    presence.announce_online([connection], now=now)
    if applicant.after:
        messages.acknowledge_up_to(
            environment=user.environment, user_id=user_id, message_id=applicant.after, now=now
        )
    return Admission(Entry.ADMITTED, connection.pk, now, None, "")


def _refused(entry, now, gate=None):
    return Admission(entry, None, now, gate.until if gate else None, gate.why if gate else "")
