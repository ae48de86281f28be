"""Direct messages that wait for their recipient. `moderation.sending` stores them.

Invariants
----------
* A message is delivered to every connection of the recipient, until one of them acknowledges it:
  connections that open later do not get it. It waits at most 7 days.
* The sender's other connections, if they were open when it was sent, get a copy. The copy waits for
  nobody: it is neither counted nor acknowledged.
* At most 1,000 messages wait for a user. Further ones are refused with an error: dropping an older
  one would lose a message whose sender was told that it is stored.
* The calls of many connections are one statement: the SQL functions of the migrations
  0013_mailbox, 0016_read_together and 0020_to_deliver. `tests/users/plain_mailbox.py` implements
  the same rules in the ORM.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q

from applications.models import Environment
from applications.statements import Statement
from users import bus, identity
from users.models import Connection, GatewayProcess, Message, MessageQuerySet

MAX_WAITING = 1_000
KEPT_FOR = timedelta(days=7)
# How long a delivered message is kept, to recognise one that is sent again.
REMEMBERED_FOR = timedelta(days=1)
MAX_CHARACTERS = 4_096
CLIENT_ID_MAX_LENGTH = 64


_TO_DELIVER = Statement(
    "SELECT place, message_id, sender_id, recipient_id, body, extra, sent_at "
    "FROM users_to_deliver(%s, %s::bigint[], %s::bigint[], %s::integer[])"
)
_ACKNOWLEDGE = Statement(
    "SELECT place, acknowledged "
    "FROM users_acknowledge(%s, %s::bigint[], %s::bigint[], %s::bigint[])"
)
_WAITING = Statement("SELECT place, number FROM users_waiting(%s, %s::bigint[])")


_COPIED = Q(sent_from__isnull=False)


class InvalidMessage(Exception):
    """The message or its client_id is empty, too long, or not text."""


class MessageTooLong(Exception):
    """The text is longer than `MAX_CHARACTERS`."""


class ClientIdTaken(Exception):
    """The sender used this client_id for another message: to someone else, or not the same."""

    def __init__(self) -> None:
        super().__init__("This client_id is used for another message")


class StoredMessage(NamedTuple):
    """A message as its sender or its recipient is told of it."""

    pk: int
    sender_id: str
    recipient_id: str
    body: str
    # As `users.extras` has packed it.
    extra: str
    sent_at: datetime


def check(*, client_id: str, body: str) -> None:
    """Raises `InvalidMessage`, `MessageTooLong`."""
    if not client_id or not identity.is_text(client_id, CLIENT_ID_MAX_LENGTH):
        raise InvalidMessage(f"A client_id has 1 to {CLIENT_ID_MAX_LENGTH} characters")
    if len(body) > MAX_CHARACTERS:
        raise MessageTooLong(f"A message has at most {MAX_CHARACTERS:,} characters")
    if not body or not identity.is_text(body, MAX_CHARACTERS, multiline=True):
        raise InvalidMessage(f"A message has 1 to {MAX_CHARACTERS:,} characters")


def notify(recipients: Iterable[tuple[int, str]]) -> None:
    """Tell the gateways at commit that messages wait for these users: (environment id, user_id)."""
    by_environment: dict[int, dict[str, None]] = {}
    for environment_id, user_id in recipients:
        by_environment.setdefault(environment_id, {})[user_id] = None
    for environment_id, user_ids in by_environment.items():
        bus.publish("deliver", environment=environment_id, user_ids=list(user_ids))


@dataclass(frozen=True, slots=True)
class Unread:
    """What a connection asks for: up to `limit` messages after the one with the key `after`."""

    connection_id: int
    after: int
    limit: int


def undelivered(asked: Sequence[Unread], *, now: datetime) -> list[list[StoredMessage]]:
    """For each of these connections the messages that nobody had acknowledged when it was opened,
    and what its user has written on other devices since then; oldest first. None once it has been
    asked to close. One statement (`users_to_deliver`).
    """
    found: list[list[StoredMessage]] = [[] for _ in asked]
    for place, *message in _TO_DELIVER.rows(
        now - KEPT_FOR,
        [each.connection_id for each in asked],
        [each.after for each in asked],
        [each.limit for each in asked],
    ):
        found[place - 1].append(StoredMessage(*message))
    return found


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a connection has received: the keys of messages."""

    connection_id: int
    message_ids: Sequence[int]


def acknowledge(receipts: Sequence[Receipt], *, now: datetime) -> list[int | None]:
    """Mark these messages as delivered. Returns for each connection how many of them were waiting;
    None if it has been asked to close. One statement (`users_acknowledge`).
    """
    answers: list[int | None] = [None] * len(receipts)
    for place, count in _ACKNOWLEDGE.rows(
        now,
        [each.connection_id for each in receipts],
        [place for place, each in enumerate(receipts, start=1) for _ in each.message_ids],
        [message_id for each in receipts for message_id in each.message_ids],
    ):
        answers[place - 1] = count
    return answers


def waiting_counts(connection_ids: Sequence[int], *, now: datetime) -> list[int | None]:
    """For each of these connections how many messages wait for its user; None if it has been asked
    to close. One statement (`users_waiting`).
    """
    answers: list[int | None] = [None] * len(connection_ids)
    for place, count in _WAITING.rows(now - KEPT_FOR, list(connection_ids)):
        answers[place - 1] = count
    return answers


def is_full(*, environment: Environment, user_id: str) -> bool:
    """Whether no further message for this user is accepted."""
    waiting = Message.objects.waiting_for(environment, user_id)
    return waiting[:MAX_WAITING].count() >= MAX_WAITING


def waiting_count(*, environment: Environment, user_id: str, now: datetime) -> int:
    """How many messages wait for the user; at most `MAX_WAITING`."""
    return _waiting(environment, user_id, now).count()


def is_waiting(*, environment: Environment, user_id: str, message_id: int, now: datetime) -> bool:
    return _waiting(environment, user_id, now).filter(pk=message_id).exists()


def _waiting(environment: Environment, user_id: str, now: datetime) -> MessageQuerySet:
    waiting = Message.objects.waiting_for(environment, user_id).between_registered()
    return waiting.filter(sent_at__gt=now - KEPT_FOR)


def recipients_at(*, gateway: GatewayProcess, sent_after: datetime) -> list[tuple[int, str]]:
    """(environment id, user_id) of users who are connected to this process and for whom there is a
    message that was sent after `sent_after`: one that waits, or a copy.
    """
    held = Connection.objects.filter(
        gateway=gateway, environment=OuterRef("environment"), kicked_at=None
    )
    sent = Message.objects.between_registered().filter(sent_at__gt=sent_after)
    found: set[tuple[int, str]] = set()
    for side, of_side in [("recipient_id", Q(delivered_at=None)), ("sender_id", _COPIED)]:
        of_held = sent.filter(of_side, Exists(held.filter(user_id=OuterRef(side))))
        found.update(of_held.values_list("environment_id", side).distinct())
    return list(found)


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
