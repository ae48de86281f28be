"""The calls of a connected client: its own blocklist, and direct messages.

Each call is one domain call, in a thread. The keys of the answer are the protocol's.

Invariant: every call checks that its connection is still open; a call that changes something also
holds `identity.lock` on the user from that check on. A user who was banned, deleted or signed out
reads and changes nothing after that, even while their socket is being closed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from applications.audit import Actor
from applications.keyset import BadCursor
from applications.models import AuditEvent, Environment
from gateway.protocol import BadFrame, string, strings, whole_numbers
from moderation import gates
from moderation.lists import ListFull, ListsOneself, blocklist
from users import identity, messages, presence
from users.identity import InvalidUserId
from users.messages import ClientIdTaken, InvalidMessage, MailboxFull
from users.models import Message
from users.tokens import UnknownUsers

MAX_IDS = 20
PAGE_SIZE = 100
MAX_ACKNOWLEDGED = 100

# The domain's exceptions, and the protocol's error codes for them.
ERRORS: dict[type[Exception], str] = {
    BadCursor: "bad_field",
    ClientIdTaken: "client_id_taken",
    InvalidUserId: "invalid_user_id",
    InvalidMessage: "invalid_message",
    ListFull: "list_full",
    ListsOneself: "lists_oneself",
    MailboxFull: "mailbox_full",
    UnknownUsers: "unknown_user",
}


class CallRefused(Exception):
    """The call is valid, and is refused. `error` is the protocol's error code."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


@dataclass(frozen=True, slots=True)
class Client:
    """The user and connection that make a call. `environment` is shared by all clients of the
    environment, and as old as the first of them.
    """

    environment: Environment
    user_id: str
    address: str | None
    connection_id: int
    connected_at: datetime

    @property
    def actor(self) -> Actor:
        return Actor(
            kind=AuditEvent.ActorKind.CLIENT,
            name=self.user_id,
            via="gateway",
            address=self.address,
        )

    def require_open(self) -> None:
        """Raises `CallRefused` if the connection has been asked to close."""
        if not presence.is_open(connection_id=self.connection_id):
            raise CallRefused("closing", "The connection is being closed.")

    def lock(self, *others: str) -> Environment:
        """Lock the user, and others whom the call concerns, until the transaction ends. Returns the
        environment as it is now. Raises `CallRefused` if the connection has been asked to close.
        """
        identity.lock(self.environment, {self.user_id, *others})
        self.require_open()
        return Environment.objects.select_related("application").get(pk=self.environment.pk)


Handler = Callable[[Client, dict[str, Any]], dict[str, Any]]


def answer(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    """Run a call; return the answer's fields. Raises `BadFrame`, `CallRefused`."""
    handler = CALLS.get(string(frame, "call", default="", most=40))
    if handler is None:
        raise BadFrame("unknown_call", f"A call is one of {', '.join(CALLS)}")
    try:
        return handler(client, frame)
    except tuple(ERRORS) as error:
        raise CallRefused(ERRORS[type(error)], str(error)) from error


@transaction.atomic
def _blocklist_add(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    added = blocklist.add(
        environment=client.lock(),
        owner_id=client.user_id,
        listed_ids=strings(frame, "user_ids", most=MAX_IDS),
        by=client.actor,
        now=timezone.now(),
    )
    return {"added": added}


@transaction.atomic
def _blocklist_remove(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    removed = blocklist.remove(
        environment=client.lock(),
        owner_id=client.user_id,
        listed_ids=strings(frame, "user_ids", most=MAX_IDS),
        by=client.actor,
        now=timezone.now(),
    )
    return {"removed": removed}


def _blocklist_contains(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    other = identity.check_user_id(string(frame, "user_id", most=64))
    client.require_open()
    listed = blocklist.contains(
        environment=client.environment, owner_id=client.user_id, listed_id=other
    )
    return {"user_id": other, "listed": listed}


def _blocklist_get(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    client.require_open()
    page = blocklist.page(
        environment=client.environment,
        owner_id=client.user_id,
        cursor=string(frame, "cursor", default="", most=500),
        size=PAGE_SIZE,
    )
    return {"user_ids": [entry.listed_id for entry in page.rows], "next": page.next}


@transaction.atomic
def _message_send(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    recipient_id = identity.check_user_id(string(frame, "to", most=64))
    client_id = string(frame, "client_id", most=messages.CLIENT_ID_MAX_LENGTH)
    body = string(frame, "body", most=messages.MAX_CHARACTERS, multiline=True)
    now = timezone.now()
    # Locks both users: list changes lock the owner, so no message passes a list that forbids it.
    environment = client.lock(recipient_id)
    verdict = gates.may_message(
        environment=environment, sender_id=client.user_id, recipient_id=recipient_id, now=now
    )
    # A repeated call for a message that was stored before gets the same answer, whatever the gate
    # says now.
    if not verdict.allowed and not messages.sent_before(
        environment=environment, sender_id=client.user_id, client_id=client_id
    ):
        raise CallRefused(verdict.rule, verdict.explanation)
    sent = messages.send(
        environment=environment,
        sender_id=client.user_id,
        recipient_id=recipient_id,
        client_id=client_id,
        body=body,
        now=now,
    )
    return {"message_id": sent.message.pk, "sent_at": sent.message.sent_at.isoformat()}


def _message_acknowledge(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    message_ids = whole_numbers(frame, "message_ids", most=MAX_ACKNOWLEDGED)
    client.require_open()
    count = messages.acknowledge(
        environment=client.environment,
        user_id=client.user_id,
        message_ids=message_ids,
        now=timezone.now(),
    )
    return {"acknowledged": count}


CALLS: dict[str, Handler] = {
    "blocklist.add": _blocklist_add,
    "blocklist.remove": _blocklist_remove,
    "blocklist.contains": _blocklist_contains,
    "blocklist.get": _blocklist_get,
    "message.send": _message_send,
    "message.acknowledge": _message_acknowledge,
}


def undelivered(client: Client, after: int, limit: int) -> list[Message]:
    """Messages after `after` that this connection has not been sent, oldest first."""
    return messages.undelivered(
        environment=client.environment,
        user_id=client.user_id,
        connection_id=client.connection_id,
        after=after,
        connected_at=client.connected_at,
        now=timezone.now(),
        limit=limit,
    )
