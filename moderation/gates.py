"""The gates: may this user connect, and may A write to B. They only read.

Invariants
----------
* Every refusal has a name, an explanation and a remedy.
* The gateway, the API and the console's "Why can't this user connect?" call the same function.
* The user may read the verdict about them, so it never names a member of staff or an app key.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from applications.models import Environment
from moderation.lists import allowlist, allowlists_on, blocklist
from moderation.models import Ban, Mute
from users import friends, messages
from users.models import AppUser, DeactivatedUser


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


def may_connect(
    *, environment: Environment, user_id: str, now: datetime, is_registered: bool | None = None
) -> Verdict[ConnectRule]:
    """Whether a user with a valid token (`users.tokens`) may connect. Two indexed reads, or one if
    the caller has just read the user's row and passes `is_registered`.
    """
    ban = Ban.objects.in_force(now).filter(environment=environment, user_id=user_id).first()
    if ban is not None:
        return Verdict(
            False,
            ConnectRule.BANNED,
            f"{user_id} is banned {_end(ban.expires_at)}.",
            "Lift the ban, or wait until it ends." if ban.expires_at else "Lift the ban.",
            ban.expires_at,
            ban.told_reason,
        )
    if is_registered is None:
        is_registered = bool(_registered(environment, user_id))
    if is_registered:
        return Verdict(True, ConnectRule.REGISTERED, f"{user_id} is registered and not banned.")
    if _is_deactivated(environment, user_id):
        return Verdict(
            False,
            ConnectRule.DEACTIVATED,
            f"The id {user_id} is deactivated.",
            "Reactivate it by API, then register the user again.",
        )
    return Verdict(
        False,
        ConnectRule.NOT_REGISTERED,
        f"The id {user_id} is not registered in this environment.",
        "Register the user: issue an access token for the id.",
    )


def may_message(
    *, environment: Environment, sender_id: str, recipient_id: str, now: datetime
) -> Verdict[ConnectRule | MessageRule]:
    """Whether `sender_id` may write to `recipient_id`.

    The rules, in order:
    * The sender may connect, and the recipient is registered.
    * The sender is not muted in direct messages.
    * The two are friends, if the environment allows only friends to write.
    * The sender is on the recipient's allowlist if it is switched on; otherwise the sender is not
      on the recipient's blocklist. If both allowlists are on, each must list the other: nobody
      writes to a user who could not answer.
    * The recipient's mailbox is not full.
    """
    registered = _registered(environment, sender_id, recipient_id)
    sender = may_connect(
        environment=environment,
        user_id=sender_id,
        now=now,
        is_registered=sender_id in registered,
    )
    if not sender.allowed:
        return sender
    if recipient_id not in registered:
        return _unknown_recipient(environment, recipient_id)
    return (
        _check_mute(environment, sender_id, now)
        or _check_friends(environment, sender_id, recipient_id)
        or _check_lists_and_mailbox(environment, sender_id, recipient_id)
    )


def _unknown_recipient(environment: Environment, recipient_id: str) -> Verdict[MessageRule]:
    if _is_deactivated(environment, recipient_id):
        return Verdict(
            False,
            MessageRule.RECIPIENT_DEACTIVATED,
            f"The id {recipient_id} is deactivated.",
            "Reactivate it by API, then register the user again.",
        )
    return Verdict(
        False,
        MessageRule.UNKNOWN_RECIPIENT,
        f"The id {recipient_id} is not registered in this environment.",
        "Register the user: issue an access token for the id.",
    )


def _check_mute(
    environment: Environment, sender_id: str, now: datetime
) -> Verdict[MessageRule] | None:
    mutes = Mute.objects.in_force(now).filter(environment=environment, user_id=sender_id)
    mute = mutes.filter(channel=Mute.Channel.DIRECT).first()
    if mute is None:
        return None
    return Verdict(
        False,
        MessageRule.MUTED,
        f"{sender_id} is muted in direct messages {_end(mute.expires_at)}.",
        "Lift the mute.",
        mute.expires_at,
    )


def _check_friends(
    environment: Environment, sender_id: str, recipient_id: str
) -> Verdict[MessageRule] | None:
    if not environment.friends_only or friends.are_friends(
        environment=environment, user_id=recipient_id, friend_id=sender_id
    ):
        return None
    return Verdict(
        False,
        MessageRule.NOT_FRIENDS,
        f"Only friends may write to each other here. {sender_id} and {recipient_id} are not.",
        "Make them friends, or change the environment's settings.",
    )


def _check_lists_and_mailbox(
    environment: Environment, sender_id: str, recipient_id: str
) -> Verdict[MessageRule]:
    both = [sender_id, recipient_id]
    switched_on = allowlists_on(environment=environment, owner_ids=both)
    if recipient_id in switched_on:
        for owner_id, other_id in ((recipient_id, sender_id), (sender_id, recipient_id)):
            if owner_id in switched_on and not allowlist.contains(
                environment=environment, owner_id=owner_id, listed_id=other_id
            ):
                return Verdict(
                    False,
                    MessageRule.NOT_ON_ALLOWLIST,
                    f"{owner_id} has the allowlist switched on, and {other_id} is not on it.",
                    f"Add {other_id} to {owner_id}'s allowlist, or switch it off.",
                )
    elif blocklist.contains(environment=environment, owner_id=recipient_id, listed_id=sender_id):
        return Verdict(
            False,
            MessageRule.BLOCKED,
            f"{sender_id} is on {recipient_id}'s blocklist.",
            f"Remove {sender_id} from {recipient_id}'s blocklist.",
        )
    if messages.is_full(environment=environment, user_id=recipient_id):
        return Verdict(
            False,
            MessageRule.MAILBOX_FULL,
            f"{messages.MAX_WAITING:,} messages wait for {recipient_id} already.",
            f"{recipient_id} must connect to receive them. Messages expire after a week.",
        )
    if recipient_id in switched_on:
        return Verdict(
            True, MessageRule.ON_ALLOWLIST, f"{sender_id} is on {recipient_id}'s allowlist."
        )
    return Verdict(
        True, MessageRule.OPEN, f"No rule prevents {sender_id} from writing to {recipient_id}."
    )


def _registered(environment: Environment, *user_ids: str) -> set[str]:
    known = AppUser.objects.filter(environment=environment, user_id__in=user_ids)
    return set(known.values_list("user_id", flat=True))


def _is_deactivated(environment: Environment, user_id: str) -> bool:
    return DeactivatedUser.objects.filter(environment=environment, user_id=user_id).exists()


def _end(moment: datetime | None) -> str:
    return f"until {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "permanently"
