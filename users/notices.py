"""Notices that wait for their recipient: that a message was received or read, and about friends.

Invariants
----------
* A notice reaches every connection of the recipient that asks for notices, until one of them
  acknowledges it: connections that open later do not get it. It waits at most 7 days.
* A message is received once and read once, however often clients say so. Only its recipient can say
  so, and only its sender is told.
* At most 1,000 notices wait for a user; further ones are dropped. Nothing depends on them: they
  repeat what the messages and the friends of the user say.
* Many connections are given theirs by one statement, `users_undelivered_notices` (migration
  0016_read_together). `tests/users/plain_mailbox.py` implements its rules in the ORM.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from applications.models import Environment
from applications.statements import Statement
from users import bus
from users.messages import Unread
from users.models import Connection, GatewayProcess, Message, Notice, NoticeKind

MAX_WAITING = 1_000
KEPT_FOR = timedelta(days=7)
# How long a delivered notice is kept, to recognise one that is posted again.
REMEMBERED_FOR = timedelta(days=1)

_UNDELIVERED = Statement(
    "SELECT place, notice_id, sender_id, kind, message_id, text, posted_at "
    "FROM users_undelivered_notices(%s, %s::bigint[], %s::bigint[], %s::integer[])"
)


@transaction.atomic
def post(
    kind: NoticeKind,
    pairs: Iterable[tuple[str, str]],
    *,
    environment: Environment,
    now: datetime,
    text: str = "",
    message_id: int = 0,
) -> None:
    """Store a notice for each pair (recipient, sender), and notify the gateways. Two statements for
    any number of them. `text` is what a friend request says, `message_id` the message that was
    received or read.
    """
    by_recipient = dict(pairs)
    waiting = Notice.objects.filter(environment=environment, delivered_at=None)
    full = (
        waiting.filter(recipient_id__in=by_recipient)
        .values("recipient_id")
        .annotate(number=Count("pk"))
        .filter(number__gte=MAX_WAITING)
    )
    for each in full:
        del by_recipient[each["recipient_id"]]
    if not by_recipient:
        return
    Notice.objects.bulk_create(
        [
            Notice(
                environment=environment,
                recipient_id=recipient_id,
                sender_id=sender_id,
                kind=kind,
                message_id=message_id,
                text=text,
                posted_at=now,
            )
            for recipient_id, sender_id in by_recipient.items()
        ],
        ignore_conflicts=True,
    )
    bus.publish("notify", environment=environment.pk, user_ids=list(by_recipient))


@transaction.atomic
def post_receipt(
    *,
    environment: Environment,
    reader_id: str,
    message_id: int,
    kind: NoticeKind,
    now: datetime,
) -> None:
    """Tell the sender of a message that `reader_id` has received or read it. A message that is not
    to `reader_id`, or is not kept any more, is ignored.
    """
    sent = Message.objects.filter(pk=message_id, environment=environment, recipient_id=reader_id)
    if (message := sent.first()) is not None:
        pair = (message.sender_id, reader_id)
        post(kind, [pair], environment=environment, now=now, message_id=message_id)


def undelivered(asked: Sequence[Unread], *, now: datetime) -> list[list[Notice]]:
    """For each of these connections the notices that nobody had acknowledged when it was opened,
    oldest first. None once it has been asked to close. One statement
    (`users_undelivered_notices`).
    """
    found: list[list[Notice]] = [[] for _ in asked]
    for place, pk, sender_id, kind, message_id, text, posted_at in _UNDELIVERED.rows(
        now - KEPT_FOR,
        [each.connection_id for each in asked],
        [each.after for each in asked],
        [each.limit for each in asked],
    ):
        notice = Notice(
            pk=pk,
            sender_id=sender_id,
            kind=kind,
            message_id=message_id,
            text=text,
            posted_at=posted_at,
        )
        found[place - 1].append(notice)
    return found


def recipients_at(*, gateway: GatewayProcess, posted_after: datetime) -> list[tuple[int, str]]:
    """(environment id, user_id) of users who are connected to this process and for whom a notice
    waits that was posted after `posted_after`.
    """
    held = Connection.objects.filter(
        gateway=gateway,
        environment=OuterRef("environment"),
        user_id=OuterRef("recipient_id"),
        kicked_at=None,
    )
    waiting = Notice.objects.filter(Exists(held), delivered_at=None, posted_at__gt=posted_after)
    return list(waiting.values_list("environment_id", "recipient_id").distinct())


def acknowledge(
    *, environment: Environment, user_id: str, notice_ids: Iterable[int], now: datetime
) -> None:
    """Mark these notices as delivered."""
    Notice.objects.waiting_for(environment, user_id).filter(pk__in=list(notice_ids)).update(
        delivered_at=now
    )


def purge(*, now: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` notices that have waited too long or were delivered long ago; return how
    many.
    """
    old = Notice.objects.filter(
        Q(posted_at__lte=now - KEPT_FOR)
        | Q(posted_at__lte=now - REMEMBERED_FOR, delivered_at__isnull=False)
    ).order_by("posted_at")
    return Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]
