"""The rules of a mailbox, said slowly: what the SQL functions of the migrations 0013_mailbox,
0016_read_together and 0020_to_deliver do at once, connection by connection in the ORM.
"""

from django.db.models import F, Q

from users import messages, notices
from users.messages import StoredMessage
from users.models import Connection, Message, Notice


def undelivered(asked, *, now):
    return [_undelivered(each, now) for each in asked]


def _undelivered(asked, now):
    held = Connection.objects.filter(pk=asked.connection_id, kicked_at=None).first()
    if held is None:
        return []
    received = Q(recipient_id=held.user_id) & (
        Q(delivered_at=None) | Q(delivered_at__gt=held.connected_at)
    )
    written = Q(
        ~Q(sent_from=held.pk),
        ~Q(recipient_id=F("sender_id")),
        sender_id=held.user_id,
        sent_from__isnull=False,
        sent_at__gt=held.connected_at,
    )
    found = (
        Message.objects.between_registered()
        .filter(
            received | written,
            environment=held.environment,
            pk__gt=asked.after,
            sent_at__gt=now - messages.KEPT_FOR,
        )
        .order_by("pk")[: asked.limit]
    )
    return [
        StoredMessage(*(getattr(each, name) for name in StoredMessage._fields)) for each in found
    ]


def acknowledge(receipts, *, now):
    return [_acknowledge(each, now) for each in receipts]


def _acknowledge(receipt, now):
    held = Connection.objects.filter(pk=receipt.connection_id, kicked_at=None).first()
    if held is None:
        return None
    waiting = Message.objects.waiting_for(held.environment, held.user_id)
    return waiting.filter(pk__in=receipt.message_ids).update(delivered_at=now)


def waiting_counts(connection_ids, *, now):
    return [_waiting_count(each, now) for each in connection_ids]


def _waiting_count(connection_id, now):
    held = Connection.objects.filter(pk=connection_id, kicked_at=None).first()
    if held is None:
        return None
    return messages.waiting_count(environment=held.environment, user_id=held.user_id, now=now)


def read_notices(asked, *, now):
    return [_undelivered_notices(each, now) for each in asked]


def _undelivered_notices(asked, now):
    held = Connection.objects.filter(pk=asked.connection_id, kicked_at=None).first()
    if held is None:
        return []
    found = Notice.objects.filter(
        Q(delivered_at=None) | Q(delivered_at__gt=held.connected_at),
        environment=held.environment,
        recipient_id=held.user_id,
        pk__gt=asked.after,
        posted_at__gt=now - notices.KEPT_FOR,
    )
    return list(found.order_by("pk")[: asked.limit])
