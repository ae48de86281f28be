"""The gates: may this user connect, may A write to B. Questions only; nothing here writes.

Invariants
----------
* Every "no" has a name, a sentence, and what would change it.
* The gateway, the API and the console's "Why can't this user connect?" get the same answer from
  the same function.
"""

from dataclasses import dataclass
from datetime import datetime

from applications.models import Environment
from moderation.lists import allowlist, allowlists_on, blocklist
from moderation.models import Ban, Mute
from users import friends
from users.models import AppUser, DeactivatedUser


@dataclass(frozen=True)
class Verdict:
    """A gate's answer. `rule` is the one word by which programs know it."""

    allowed: bool
    rule: str
    explanation: str
    remedy: str = ""
    until: datetime | None = None


def may_connect(
    *, environment: Environment, user_id: str, now: datetime, is_registered: bool | None = None
) -> Verdict:
    """Whether a user with a valid token is let in: two indexed reads when they are, and one for
    whoever has read the user's row just now and says so by `is_registered`.
    """
    ban = Ban.objects.in_force(now).filter(environment=environment, user_id=user_id).first()
    if ban is not None:
        end = f"until {ban.expires_at:%Y-%m-%d %H:%M:%S} UTC" if ban.expires_at else "for good"
        return Verdict(
            False,
            "banned",
            f"Banned {end} by {ban.imposed_by}.",
            "Lift the ban, or wait until it ends." if ban.expires_at else "Lift the ban.",
            ban.expires_at,
        )
    if is_registered is None:
        known = AppUser.objects.filter(environment=environment, user_id=user_id)
        is_registered = known.exists()
    if is_registered:
        return Verdict(True, "registered", "Registered and not banned.")
    if DeactivatedUser.objects.filter(environment=environment, user_id=user_id).exists():
        return Verdict(
            False,
            "deactivated",
            "The id is deactivated.",
            "Reactivate it by API, then register the user again.",
        )
    return Verdict(
        False,
        "not_registered",
        "The id is not registered in this environment.",
        "Register the user: the first access token does it.",
    )


def may_message(
    *, environment: Environment, sender_id: str, recipient_id: str, now: datetime
) -> Verdict:
    """Whether what `sender_id` writes reaches `recipient_id`.

    A muted sender reaches nobody, and where only friends may write, nobody else gets through. Then
    the recipient's allowlist decides where it is switched on, their blocklist where it is not. With
    both allowlists on, each must list the other: nobody writes to whom they would not let answer.
    """
    mutes = Mute.objects.in_force(now).filter(environment=environment, user_id=sender_id)
    mute = mutes.filter(channel=Mute.Channel.DIRECT).first()
    if mute is not None:
        end = f"until {mute.expires_at:%Y-%m-%d %H:%M:%S} UTC" if mute.expires_at else "for good"
        return Verdict(
            False,
            "muted",
            f"{sender_id} is muted in direct messages {end}.",
            "Lift the mute.",
            mute.expires_at,
        )
    if environment.friends_only and not friends.are_friends(
        environment=environment, user_id=recipient_id, friend_id=sender_id
    ):
        return Verdict(
            False,
            "not_friends",
            f"Only friends may write here, and {sender_id} and {recipient_id} are not.",
            "Make them friends, or change the environment's settings.",
        )
    both = [sender_id, recipient_id]
    switched_on = allowlists_on(environment=environment, owner_ids=both)
    if recipient_id in switched_on:
        for owner_id, other_id in ((recipient_id, sender_id), (sender_id, recipient_id)):
            if owner_id in switched_on and not allowlist.contains(
                environment=environment, owner_id=owner_id, listed_id=other_id
            ):
                return Verdict(
                    False,
                    "not_on_allowlist",
                    f"{owner_id} has the allowlist switched on, and {other_id} is not on it.",
                    f"Add {other_id} to {owner_id}'s allowlist, or switch it off.",
                )
        return Verdict(True, "on_allowlist", f"{sender_id} is on {recipient_id}'s allowlist.")
    if blocklist.contains(environment=environment, owner_id=recipient_id, listed_id=sender_id):
        return Verdict(
            False,
            "blocked",
            f"{sender_id} is on {recipient_id}'s blocklist.",
            f"Remove {sender_id} from {recipient_id}'s blocklist.",
        )
    return Verdict(True, "open", f"Nothing keeps {sender_id} from writing to {recipient_id}.")
