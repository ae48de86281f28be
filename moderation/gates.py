"""The gates: may this user connect, and may A write to B. They only read.

Invariants
----------
* The rules are in one place each, the SQL functions `moderation_may_connect` and
  `moderation_may_message` (migration 0005_gates). The gateway admits clients and stores messages
  with statements that ask them (`moderation.connecting`, `moderation.sending`); the API and the
  console's "Why can't this user connect?" ask them here.
* `tests/moderation/plain_gates.py` implements the same rules slowly, in the ORM.
* Every refusal has a name, an explanation and a remedy.
* The user may read the verdict about them, so it never names a member of staff or an app key.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from applications.models import Environment
from applications.statements import Statement
from users import messages

_MAY_CONNECT = Statement("SELECT rule, until, why FROM moderation_may_connect(%s, %s, %s)")
_MAY_MESSAGE = Statement("SELECT rule, until, why FROM moderation_may_message(%s, %s, %s, %s, %s)")
# The rule NOT_ON_ALLOWLIST as the SQL function calls it if the allowlist is the sender's own.
_NOT_ON_OWN_ALLOWLIST = "not_on_own_allowlist"


class ConnectRule(StrEnum):
    """The rule that decides whether a user may connect, and therefore whether they may write."""

    REGISTERED = "registered"
    BANNED = "banned"
    DEACTIVATED = "deactivated"
    NOT_REGISTERED = "not_registered"


class MessageRule(StrEnum):
    """The rule that decides whether one user may write to another. The values are part of the
    gateway's protocol (docs/gateway.md).
    """

    OPEN = "open"
    ON_ALLOWLIST = "on_allowlist"
    UNKNOWN_RECIPIENT = "unknown_user"
    RECIPIENT_DEACTIVATED = "recipient_deactivated"
    MUTED = "muted"
    NOT_FRIENDS = "not_friends"
    NOT_ON_ALLOWLIST = "not_on_allowlist"
    BLOCKED = "blocked"
    MAILBOX_FULL = "mailbox_full"


R = TypeVar("R", bound=ConnectRule | MessageRule, covariant=True)


@dataclass(frozen=True)
class Verdict(Generic[R]):
    """A gate's decision. `why` is the ban's reason, if staff chose to tell it to the user."""

    allowed: bool
    rule: R
    explanation: str
    remedy: str = ""
    until: datetime | None = None
    why: str = ""


def may_connect(*, environment: Environment, user_id: str, now: datetime) -> Verdict[ConnectRule]:
    """Whether a user with a valid token (`users.tokens`) may connect. One statement."""
    return connect_verdict(user_id, *_row(_MAY_CONNECT.row(environment.pk, user_id, now)))


def may_message(
    *, environment: Environment, sender_id: str, recipient_id: str, now: datetime
) -> Verdict[ConnectRule | MessageRule]:
    """Whether `sender_id` may write to `recipient_id`. One statement.

    The rules, in order:
    * The sender may connect, and the recipient is registered.
    * The sender is not muted in direct messages.
    * The two are friends, if the environment allows only friends to write.
    * The sender is on the recipient's allowlist if it is switched on; otherwise the sender is not
      on the recipient's blocklist. If both allowlists are on, each must list the other: nobody
      writes to a user who could not answer.
    * The recipient's mailbox is not full.
    """
    row = _MAY_MESSAGE.row(environment.pk, sender_id, recipient_id, now, messages.MAX_WAITING)
    return message_verdict(sender_id, recipient_id, *_row(row))


def _row(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    assert row is not None  # noqa: S101 - the functions return one row
    return row


def connect_verdict(
    user_id: str, rule: str, until: datetime | None, why: str
) -> Verdict[ConnectRule]:
    """The verdict for a row of `moderation_may_connect`."""
    match ConnectRule(rule):
        case ConnectRule.REGISTERED as allowed:
            return Verdict(True, allowed, f"{user_id} is registered and not banned.")
        case ConnectRule.BANNED as refused:
            return Verdict(
                False,
                refused,
                f"{user_id} is banned {_end(until)}.",
                "Lift the ban, or wait until it ends." if until else "Lift the ban.",
                until,
                why,
            )
        case ConnectRule.DEACTIVATED as refused:
            return Verdict(
                False,
                refused,
                f"The id {user_id} is deactivated.",
                "Reactivate it by API, then register the user again.",
            )
        case ConnectRule.NOT_REGISTERED as refused:
            return Verdict(
                False,
                refused,
                f"The id {user_id} is not registered in this environment.",
                "Register the user: issue an access token for the id.",
            )


def message_verdict(
    sender_id: str, recipient_id: str, rule: str, until: datetime | None, why: str
) -> Verdict[ConnectRule | MessageRule]:
    """The verdict for a row of `moderation_may_message`."""
    if rule in set(ConnectRule):
        return connect_verdict(sender_id, rule, until, why)
    owner_id, other_id = recipient_id, sender_id
    if rule == _NOT_ON_OWN_ALLOWLIST:
        rule, owner_id, other_id = MessageRule.NOT_ON_ALLOWLIST, sender_id, recipient_id
    match MessageRule(rule):
        case MessageRule.OPEN as allowed:
            explanation = f"No rule prevents {sender_id} from writing to {recipient_id}."
            return Verdict(True, allowed, explanation)
        case MessageRule.ON_ALLOWLIST as allowed:
            return Verdict(True, allowed, f"{sender_id} is on {recipient_id}'s allowlist.")
        case MessageRule.UNKNOWN_RECIPIENT as refused:
            return Verdict(
                False,
                refused,
                f"The id {recipient_id} is not registered in this environment.",
                "Register the user: issue an access token for the id.",
            )
        case MessageRule.RECIPIENT_DEACTIVATED as refused:
            return Verdict(
                False,
                refused,
                f"The id {recipient_id} is deactivated.",
                "Reactivate it by API, then register the user again.",
            )
        case MessageRule.MUTED as refused:
            return Verdict(
                False,
                refused,
                f"{sender_id} is muted in direct messages {_end(until)}.",
                "Lift the mute.",
                until,
            )
        case MessageRule.NOT_FRIENDS as refused:
            return Verdict(
                False,
                refused,
                f"Only friends may write to each other here. {sender_id} and {recipient_id} are "
                "not.",
                "Make them friends, or change the environment's settings.",
            )
        case MessageRule.NOT_ON_ALLOWLIST as refused:
            return Verdict(
                False,
                refused,
                f"{owner_id} has the allowlist switched on, and {other_id} is not on it.",
                f"Add {other_id} to {owner_id}'s allowlist, or switch it off.",
            )
        case MessageRule.BLOCKED as refused:
            return Verdict(
                False,
                refused,
                f"{sender_id} is on {recipient_id}'s blocklist.",
                f"Remove {sender_id} from {recipient_id}'s blocklist.",
            )
        case MessageRule.MAILBOX_FULL as refused:
            return Verdict(
                False,
                refused,
                f"{messages.MAX_WAITING:,} messages wait for {recipient_id} already.",
                f"{recipient_id} must connect to receive them. Messages expire after a week.",
            )


def _end(moment: datetime | None) -> str:
    return f"until {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "permanently"
