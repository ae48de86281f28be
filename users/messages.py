"""Direct messages that wait for their recipient.

Invariants
----------
* A message is stored before its sender gets an answer; from then on it is not lost.
* A message that is sent twice with the same `client_id` is one message.
* A message is delivered to every connection of the recipient, until one of them acknowledges it:
  connections that open later do not get it. It waits at most 7 days.
* At most 1,000 messages wait for a user. Further ones are refused with an error: dropping an older
  one would lose a message whose sender was told that it is stored.
* The caller asks `moderation.gates` whether the message may be sent; this module does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from applications.models import Environment
from users import bus, identity
from users.models import AppUser, Connection, GatewayProcess, Message, MessageQuerySet
from users.tokens import UnknownUsers

MAX_WAITING = 1_000
KEPT_FOR = timedelta(days=7)
# How long a delivered message is kept, to recognise one that is sent again.
REMEMBERED_FOR = timedelta(days=1)
MAX_CHARACTERS = 4_096
CLIENT_ID_MAX_LENGTH = 64


class MailboxFull(Exception):
    """`MAX_WAITING` messages wait for the recipient; no further one is accepted."""

    def __init__(self, user_id: str):
        super().__init__(f"{MAX_WAITING:,} messages wait for {user_id} already")


class InvalidMessage(Exception):
    """The message or its client_id is empty, too long, or not text."""


class ClientIdTaken(Exception):
    """The sender used this client_id for a message to someone else, or with another text."""


@dataclass(frozen=True)
class Sent:
    message: Message
    again: bool  # whether it had been sent before with the same client_id


@transaction.atomic
def send(
    *,
    environment: Environment,
    sender_id: str,
    recipient_id: str,
    client_id: str,
    body: str,
    now: datetime,
) -> Sent:
    """Store a message and notify the gateways.

    Raises `InvalidMessage`, `ClientIdTaken`, `UnknownUsers`, `MailboxFull`.
    """
    if not client_id or not identity.is_text(client_id, CLIENT_ID_MAX_LENGTH):
        raise InvalidMessage(f"A client_id has 1 to {CLIENT_ID_MAX_LENGTH} characters")
    if not body or not identity.is_text(body, MAX_CHARACTERS, multiline=True):
        raise InvalidMessage(f"A message has 1 to {MAX_CHARACTERS:,} characters")
    # The sender's lock makes concurrent sends of the same message find the first one. The
    # recipient's lock makes messages visible in the order of their keys, which
    # `acknowledge_up_to` requires.
    identity.lock(environment, {sender_id, recipient_id})
    known = sent_before(environment=environment, sender_id=sender_id, client_id=client_id)
    if known is not None:
        if (known.recipient_id, known.body) != (recipient_id, body):
            raise ClientIdTaken("This client_id is used for another message")
        return Sent(known, again=True)
    if not AppUser.objects.filter(environment=environment, user_id=recipient_id).exists():
        raise UnknownUsers([recipient_id])
    if is_full(environment=environment, user_id=recipient_id):
        raise MailboxFull(recipient_id)
    message = Message.objects.create(
        environment=environment,
        sender_id=sender_id,
        recipient_id=recipient_id,
        client_id=client_id,
        body=body,
        sent_at=now,
    )
    bus.publish("deliver", environment=environment.pk, user_ids=[recipient_id])
    return Sent(message, again=False)


def is_full(*, environment: Environment, user_id: str) -> bool:
    """Whether no further message for this user is accepted."""
    waiting = Message.objects.waiting_for(environment, user_id)
    return waiting[:MAX_WAITING].count() >= MAX_WAITING


def sent_before(*, environment: Environment, sender_id: str, client_id: str) -> Message | None:
    """The message that the sender sent with this client_id, if any."""
    return Message.objects.filter(
        environment=environment, sender_id=sender_id, client_id=client_id
    ).first()


def undelivered(
    *,
    environment: Environment,
    user_id: str,
    connection_id: int,
    after: int,
    connected_at: datetime,
    now: datetime,
    limit: int,
) -> list[Message]:
    """Messages after `after` that nobody had acknowledged when this connection was opened, oldest
    first. None once the connection has been asked to close.
    """
    is_open = Connection.objects.filter(pk=connection_id, kicked_at=None)
    return list(
        Message.objects.between_registered()
        .filter(
            Exists(is_open),
            Q(delivered_at=None) | Q(delivered_at__gt=connected_at),
            environment=environment,
            recipient_id=user_id,
            pk__gt=after,
            sent_at__gt=now - KEPT_FOR,
        )
        .order_by("pk")[:limit]
    )


def waiting_count(*, environment: Environment, user_id: str, now: datetime) -> int:
    """How many messages wait for the user; at most `MAX_WAITING`."""
    return _waiting(environment, user_id, now).count()


def is_waiting(*, environment: Environment, user_id: str, message_id: int, now: datetime) -> bool:
    return _waiting(environment, user_id, now).filter(pk=message_id).exists()


def _waiting(environment: Environment, user_id: str, now: datetime) -> MessageQuerySet:
    waiting = Message.objects.waiting_for(environment, user_id).between_registered()
    return waiting.filter(sent_at__gt=now - KEPT_FOR)


def recipients_at(*, gateway: GatewayProcess, sent_after: datetime) -> list[tuple[int, str]]:
    """(environment id, user_id) of users who are connected to this process and for whom a message
    waits that was sent after `sent_after`.
    """
    held = Connection.objects.filter(
        gateway=gateway,
        environment=OuterRef("environment"),
        user_id=OuterRef("recipient_id"),
        kicked_at=None,
    )
    waiting = Message.objects.between_registered().filter(
        Exists(held), delivered_at=None, sent_at__gt=sent_after
    )
    return list(waiting.values_list("environment_id", "recipient_id").distinct())


def acknowledge(
    *, environment: Environment, user_id: str, message_ids: Iterable[int], now: datetime
) -> int:
    """Mark these messages as delivered; return how many of them were waiting."""
    return (
        Message.objects.waiting_for(environment, user_id)
        .filter(pk__in=list(message_ids))
        .update(delivered_at=now)
    )


def acknowledge_up_to(
    *, environment: Environment, user_id: str, message_id: int, now: datetime
) -> int:
    """Mark all messages up to this one as delivered; return how many were waiting."""
    return (
        Message.objects.waiting_for(environment, user_id)
        .filter(pk__lte=message_id)
        .update(delivered_at=now)
    )


def sent_times(
    *, environment: Environment, sender_id: str, message_ids: Iterable[int]
) -> dict[int, datetime]:
    """When the sender sent these messages, without those that are deleted or another's."""
    sent = Message.objects.filter(
        pk__in=list(message_ids), environment=environment, sender_id=sender_id
    )
    return dict(sent.values_list("pk", "sent_at"))


def purge(*, now: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` messages that have waited too long or were delivered long ago; return
    how many.
    """
    old = Message.objects.filter(
        Q(sent_at__lte=now - KEPT_FOR)
        | Q(sent_at__lte=now - REMEMBERED_FOR, delivered_at__isnull=False)
    ).order_by("sent_at")
    return Message.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]
