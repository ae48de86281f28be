"""The law of sending, said slowly: what `moderation_send` does at once, message by message in the
ORM.

For one caller at a time; that it holds for many is proven in `tests/gateway`.
"""

from django.db import transaction

from applications.models import Environment
from moderation.sending import Fate, Sent
from tests.moderation import plain_gates
from users import presence
from users.models import Connection, Message


@transaction.atomic
def send(drafts, *, now):
    return [_send(each, now) for each in drafts]


def _send(draft, now):
    if not presence.is_open(connection_id=draft.connection_id):
        return Sent(Fate.CLOSING)
    environment = Environment.objects.get(pk=draft.environment_id)
    own = {"environment": environment, "sender_id": draft.sender_id, "client_id": draft.client_id}
    known = Message.objects.filter(**own).first()
    if known is not None:
        is_same = (known.recipient_id, known.body, known.extra) == (
            draft.recipient_id,
            draft.body,
            draft.extra,
        )
        if not is_same:
            return Sent(Fate.CLIENT_ID_TAKEN)
        return Sent(Fate.SENT_BEFORE, known.pk, known.sent_at)
    verdict = plain_gates.may_message(
        environment=environment,
        sender_id=draft.sender_id,
        recipient_id=draft.recipient_id,
        now=now,
    )
    if not verdict.allowed:
        return Sent(None, verdict=verdict)
    others = Connection.objects.for_users(environment, [draft.sender_id]).filter(kicked_at=None)
    message = Message.objects.create(
        **own,
        recipient_id=draft.recipient_id,
        body=draft.body,
        extra=draft.extra,
        sent_at=now,
        sent_from=draft.connection_id if others.count() > 1 else None,
    )
    return Sent(Fate.SENT, message.pk, now)
