"""Sends direct messages: the one way in which a message is stored.

Invariants
----------
* The rules are in one place, the SQL function `moderation_send` (migration 0010_send_extra, which
  documents them): the locks, the sender's connection, `client_id`, the gate, the message's row.
* Many messages are one statement and one commit; then the gateways are notified of all of them.
* A message is stored before its sender gets an answer.
* `tests/moderation/plain_sending.py` implements the same rules slowly, in the ORM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from applications.statements import Statement
from moderation import gates
from moderation.gates import ConnectRule, MessageRule, Verdict
from users import messages

_SEND = Statement(
    "SELECT rule, message_id, sent_at, is_copied, until, why "
    "FROM moderation_send(%s, %s, %s, %s::bigint[], %s::bigint[], %s::text[], %s::text[], "
    "%s::text[], %s::text[], %s::text[]) ORDER BY place"
)


class Fate(StrEnum):
    """What became of a message that no gate refused."""

    SENT = "sent"
    SENT_BEFORE = "sent_before"
    # The sender used this client_id for a message to someone else, or with another text.
    CLIENT_ID_TAKEN = "client_id_taken"
    # The sender's connection has been asked to close.
    CLOSING = "closing"
    # Somebody else is working on the sender or the recipient: send again, with `wait`.
    BUSY = "busy"


_FATES = frozenset(Fate)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to store. The caller has validated it with `messages.check`."""

    environment_id: int
    connection_id: int
    sender_id: str
    recipient_id: str
    client_id: str
    body: str
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """`message_id` and `sent_at` are those of the stored message, None if there is none. `verdict`
    is the gate's if it refused, and then `fate` is None.
    """

    fate: Fate | None
    message_id: int | None = None
    sent_at: datetime | None = None
    verdict: Verdict[ConnectRule | MessageRule] | None = None


def send(drafts: Sequence[Draft], *, now: datetime, wait: bool = True) -> list[Sent]:
    """Store these messages, in order, and notify the gateways; return what became of each.

    Without `wait`, nobody is waited for: a message that would have to wait is `BUSY`.
    """
    rows = _SEND.rows(
        now,
        messages.MAX_WAITING,
        wait,
        [each.environment_id for each in drafts],
        [each.connection_id for each in drafts],
        [each.sender_id for each in drafts],
        [each.recipient_id for each in drafts],
        [each.client_id for each in drafts],
        [each.body for each in drafts],
        [each.extra for each in drafts],
    )
    answers, told = [], []
    for draft, (rule, message_id, sent_at, is_copied, until, why) in zip(drafts, rows, strict=True):
        if rule in _FATES:
            answers.append(Sent(Fate(rule), message_id, sent_at))
        else:
            verdict = gates.message_verdict(draft.sender_id, draft.recipient_id, rule, until, why)
            answers.append(Sent(None, verdict=verdict))
        if rule == Fate.SENT:
            told.append((draft.environment_id, draft.recipient_id))
        if is_copied:
            told.append((draft.environment_id, draft.sender_id))
    messages.notify(told)
    return answers
