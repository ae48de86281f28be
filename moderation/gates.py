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

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext, gettext_noop

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
    """A gate's decision. `why` is the ban's reason, if staff chose to tell it to the user.

    `says` and `advice` are in English, with the names of `about` in braces. The sentences are made
    of them only where somebody reads them, in the reader's language.
    """

    allowed: bool
    rule: R
    says: str
    advice: str = ""
    until: datetime | None = None
    why: str = ""
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def explanation(self) -> str:
        return self._sentence(self.says)

    @property
    def remedy(self) -> str:
        return self._sentence(self.advice)

    def _sentence(self, text: str) -> str:
        return gettext(text).format(**self.about) if text else ""


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
    about = {"user_id": user_id, "until": until}
    match ConnectRule(rule):
        case ConnectRule.REGISTERED as allowed:
            return Verdict(
                True, allowed, gettext_noop("{user_id} is registered and not banned."), about=about
            )
        case ConnectRule.BANNED as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("{user_id} is banned until {until:%Y-%m-%d %H:%M:%S} UTC.")
                if until
                else gettext_noop("{user_id} is banned permanently."),
                gettext_noop("Lift the ban, or wait until it ends.")
                if until
                else gettext_noop("Lift the ban."),
                until,
                why,
                about=about,
            )
        case ConnectRule.DEACTIVATED as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("The id {user_id} is deactivated."),
                gettext_noop("Reactivate it by API, then register the user again."),
                about=about,
            )
        case ConnectRule.NOT_REGISTERED as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("The id {user_id} is not registered in this environment."),
                gettext_noop("Register the user: issue an access token for the id."),
                about=about,
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
    about = {
        "sender_id": sender_id,
        "recipient_id": recipient_id,
        "owner_id": owner_id,
        "other_id": other_id,
        "until": until,
        "most": messages.MAX_WAITING,
    }
    match MessageRule(rule):
        case MessageRule.OPEN as allowed:
            says = gettext_noop("No rule prevents {sender_id} from writing to {recipient_id}.")
            return Verdict(True, allowed, says, about=about)
        case MessageRule.ON_ALLOWLIST as allowed:
            return Verdict(
                True,
                allowed,
                gettext_noop("{sender_id} is on {recipient_id}'s allowlist."),
                about=about,
            )
        case MessageRule.UNKNOWN_RECIPIENT as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("The id {recipient_id} is not registered in this environment."),
                gettext_noop("Register the user: issue an access token for the id."),
                about=about,
            )
        case MessageRule.RECIPIENT_DEACTIVATED as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("The id {recipient_id} is deactivated."),
                gettext_noop("Reactivate it by API, then register the user again."),
                about=about,
            )
        case MessageRule.MUTED as refused:
            return Verdict(
                False,
                refused,
                gettext_noop(
                    "{sender_id} is muted in direct messages until {until:%Y-%m-%d %H:%M:%S} UTC."
                )
                if until
                else gettext_noop("{sender_id} is muted in direct messages permanently."),
                gettext_noop("Lift the mute."),
                until,
                about=about,
            )
        case MessageRule.NOT_FRIENDS as refused:
            return Verdict(
                False,
                refused,
                gettext_noop(
                    "Only friends may write to each other here. {sender_id} and {recipient_id} are "
                    "not."
                ),
                gettext_noop("Make them friends, or change the environment's settings."),
                about=about,
            )
        case MessageRule.NOT_ON_ALLOWLIST as refused:
            return Verdict(
                False,
                refused,
                gettext_noop(
                    "{owner_id} has the allowlist switched on, and {other_id} is not on it."
                ),
                gettext_noop("Add {other_id} to {owner_id}'s allowlist, or switch it off."),
                about=about,
            )
        case MessageRule.BLOCKED as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("{sender_id} is on {recipient_id}'s blocklist."),
                gettext_noop("Remove {sender_id} from {recipient_id}'s blocklist."),
                about=about,
            )
        case MessageRule.MAILBOX_FULL as refused:
            return Verdict(
                False,
                refused,
                gettext_noop("{most:,} messages wait for {recipient_id} already."),
                gettext_noop(
                    "{recipient_id} must connect to receive them. Messages expire after a week."
                ),
                about=about,
            )
