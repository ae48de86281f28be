"""The rules of a mailbox, said slowly: what `users_undelivered` and `users_acknowledge` do at once,
connection by connection in the ORM.
"""

from django.db.models import Q

from users import messages
from users.messages import StoredMessage
from users.models import Connection, Message


def undelivered(asked, *, now):
    return [_undelivered(each, now) for each in asked]


def _undelivered(asked, now):
    held = Connection.objects.filter(pk=asked.connection_id, kicked_at=None).first()
    if held is None:
        return []
    found = (
        Message.objects.between_registered()
        .filter(
            Q(delivered_at=None) | Q(delivered_at__gt=held.connected_at),
            environment=held.environment,
            recipient_id=held.user_id,
            pk__gt=asked.after,
            sent_at__gt=now - messages.KEPT_FOR,
        )
        .order_by("pk")[: asked.limit]
    )
    return [StoredMessage(each.pk, each.sender_id, each.body, each.sent_at) for each in found]


def acknowledge(receipts, *, now):
    return [_acknowledge(each, now) for each in receipts]


def _acknowledge(receipt, now):
    held = Connection.objects.filter(pk=receipt.connection_id, kicked_at=None).first()
    if held is None:
        return None
    waiting = Message.objects.waiting_for(held.environment, held.user_id)
    return waiting.filter(pk__in=receipt.message_ids).update(delivered_at=now)
