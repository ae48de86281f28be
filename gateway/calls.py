"""What a connected client may do, whatever its protocol: write, read its messages, and change its
own blocklist, and learn who is online.

Calls about messages share statements (`gateway.mailbox`). The others block, so the protocols run
them in threads. The protocols' own `calls.py` translate: arguments from frames,
results and exceptions to the words of the wire.

Invariant: every call checks that its connection is still open; a call that changes something also
holds `identity.lock` on the user from that check on. A user who was banned, deleted or signed out
reads and changes nothing after that, even while their socket is being closed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from applications.audit import Actor
from applications.hourly import Figure
from applications.keyset import Page
from applications.models import AuditEvent, Environment
from gateway import counted
from gateway.mailbox import Mailbox
from moderation.gates import ConnectRule, MessageRule, Verdict
from moderation.lists import blocklist
from moderation.models import BlocklistEntry
from moderation.sending import Draft, Fate
from users import extras, identity, messages, notices, presence, statuses
from users.extras import NOTHING, Extra
from users.messages import Receipt, StoredMessage, Unread
from users.models import AppUser, Notice, NoticeKind
from users.statuses import Shown


class ConnectionClosing(Exception):
    """The connection has been asked to close."""

    def __init__(self) -> None:
        super().__init__("The connection is being closed.")


class MessageRefused(Exception):
    """The gate refuses the message; `verdict` says why."""

    def __init__(self, verdict: Verdict[ConnectRule | MessageRule]):
        super().__init__(verdict.explanation)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Client:
    """The user and connection that make a call. `environment` is shared by all clients of the
    environment, and as old as the first of them; `mailbox` by all clients of the process.
    """

    environment: Environment
    user_id: str
    address: str | None
    connection_id: int
    connected_at: datetime
    mailbox: Mailbox

    @property
    def actor(self) -> Actor:
        return Actor(
            kind=AuditEvent.ActorKind.CLIENT,
            name=self.user_id,
            via="gateway",
            address=self.address,
        )

    def require_open(self) -> None:
        """Raises `ConnectionClosing`."""
        if not presence.is_open(connection_id=self.connection_id):
            raise ConnectionClosing

    def lock(self) -> Environment:
        """Lock the user until the transaction ends. Returns the environment as it is now. Raises
        `ConnectionClosing`.
        """
        identity.lock(self.environment, [self.user_id])
        self.require_open()
        return Environment.objects.select_related("application").get(pk=self.environment.pk)


# --- Messages ---


async def send(
    client: Client, *, recipient_id: str, client_id: str, body: str, extra: Extra = NOTHING
) -> StoredMessage:
    """Send a message, or find the one that this client_id was used for.

    Raises `MessageRefused`, `ConnectionClosing`, `identity.InvalidUserId`,
    and what `messages.check` and `extras.pack` raise, and `messages.ClientIdTaken`.
    """
    identity.check_user_id(recipient_id)
    messages.check(client_id=client_id, body=body)
    packed = extras.pack(extra)
    sent = await client.mailbox.send(
        Draft(
            environment_id=client.environment.pk,
            connection_id=client.connection_id,
            sender_id=client.user_id,
            recipient_id=recipient_id,
            client_id=client_id,
            body=body,
            extra=packed,
        )
    )
    if sent.verdict is not None:
        counted.refused(client.environment.pk, Figure.MESSAGES_REFUSED)
        raise MessageRefused(sent.verdict)
    if sent.fate is Fate.CLOSING:
        raise ConnectionClosing
    if sent.message_id is None or sent.sent_at is None:
        raise messages.ClientIdTaken
    return StoredMessage(sent.message_id, client.user_id, recipient_id, body, packed, sent.sent_at)


async def undelivered(client: Client, after: int, limit: int) -> list[StoredMessage]:
    """Messages after `after` that this connection has not been sent, oldest first."""
    return await client.mailbox.undelivered(Unread(client.connection_id, after, limit))


async def acknowledge(client: Client, message_ids: Sequence[int]) -> int:
    """Mark these messages as delivered; return how many of them were waiting. Raises
    `ConnectionClosing`.
    """
    count = await client.mailbox.acknowledge(Receipt(client.connection_id, message_ids))
    if count is None:
        raise ConnectionClosing
    return count


async def waiting_count(client: Client) -> int:
    """How many messages wait for the user. Raises `ConnectionClosing`."""
    count = await client.mailbox.waiting_count(client.connection_id)
    if count is None:
        raise ConnectionClosing
    return count


def acknowledge_up_to(client: Client, message_id: int) -> int:
    """Mark the messages up to this one as delivered; return how many of them were waiting."""
    client.require_open()
    return messages.acknowledge_up_to(
        environment=client.environment,
        user_id=client.user_id,
        message_id=message_id,
        now=timezone.now(),
    )


def sent_times(client: Client, message_ids: Iterable[int]) -> dict[int, datetime]:
    """When the client's user sent these messages, without those that are not kept any more."""
    client.require_open()
    return messages.sent_times(
        environment=client.environment, sender_id=client.user_id, message_ids=message_ids
    )


# --- Notices and presence ---


def receipt(client: Client, message_id: int, kind: NoticeKind) -> None:
    """Tell the sender of a message that the user has received or read it."""
    client.require_open()
    notices.post_receipt(
        environment=client.environment,
        reader_id=client.user_id,
        message_id=message_id,
        kind=kind,
        now=timezone.now(),
    )


async def undelivered_notices(client: Client, after: int, limit: int) -> list[Notice]:
    """Notices after `after` that this connection has not been sent, oldest first."""
    return await client.mailbox.undelivered_notices(Unread(client.connection_id, after, limit))


def acknowledge_notices(client: Client, notice_ids: Iterable[int]) -> None:
    client.require_open()
    notices.acknowledge(
        environment=client.environment,
        user_id=client.user_id,
        notice_ids=notice_ids,
        now=timezone.now(),
    )


def subscribed(client: Client, about_ids: Collection[str]) -> list[Shown]:
    """The presence of those of these users to whom the user subscribes. None once the connection
    has been asked to close.
    """
    if not presence.is_open(connection_id=client.connection_id):
        return []
    users = AppUser.objects.filter(environment=client.environment, user_id__in=about_ids)
    found = statuses.shown(
        environment=client.environment,
        owner_id=client.user_id,
        users=users,
        now=timezone.now(),
    )
    return [each for each in found.values() if each.expires_at is not None]


# --- The blocklist ---


@transaction.atomic
def block(client: Client, user_ids: list[str]) -> list[str]:
    """Return those who were not on the blocklist. Raises what `blocklist.add` raises."""
    return blocklist.add(
        environment=client.lock(),
        owner_id=client.user_id,
        listed_ids=user_ids,
        by=client.actor,
        now=timezone.now(),
    )


@transaction.atomic
def unblock(client: Client, user_ids: list[str]) -> list[str]:
    """Return those who were on the blocklist. Raises what `blocklist.remove` raises."""
    return blocklist.remove(
        environment=client.lock(),
        owner_id=client.user_id,
        listed_ids=user_ids,
        by=client.actor,
        now=timezone.now(),
    )


def blocks(client: Client, other_id: str) -> bool:
    """Whether the other is on the client's blocklist. Raises `InvalidUserId`."""
    other = identity.check_user_id(other_id)
    client.require_open()
    return blocklist.contains(
        environment=client.environment, owner_id=client.user_id, listed_id=other
    )


def blocklist_page(client: Client, *, cursor: str, size: int) -> Page[BlocklistEntry]:
    """Raises `BadCursor`."""
    client.require_open()
    return blocklist.page(
        environment=client.environment, owner_id=client.user_id, cursor=cursor, size=size
    )


# --- Who is online ---


@transaction.atomic
def watch(client: Client, user_ids: list[str], lifetime: timedelta) -> None:
    """Subscribe to the status of these users. Raises what `statuses.subscribe` raises."""
    now = timezone.now()
    environment = client.lock()
    statuses.subscribe(
        environment=environment,
        owner_id=client.user_id,
        about_ids=user_ids,
        lifetime=lifetime,
        now=now,
    )


@transaction.atomic
def unwatch(client: Client, user_ids: list[str]) -> None:
    environment = client.lock()
    statuses.unsubscribe(environment=environment, owner_id=client.user_id, about_ids=user_ids)


def watched(client: Client) -> dict[str, datetime]:
    """Whom the client subscribes to, and until when."""
    client.require_open()
    found = statuses.subscriptions(
        environment=client.environment, owner_id=client.user_id, now=timezone.now()
    )
    return dict(found.values_list("about_id", "expires_at"))


def online_among(client: Client, user_ids: Iterable[str]) -> set[str]:
    client.require_open()
    return presence.online(
        environment=client.environment, user_ids=list(user_ids), now=timezone.now()
    )
