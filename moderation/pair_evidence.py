"""Why one user may or may not write to another: every rule of `moderation.gates`, in its order.

The invariants are those of `moderation.evidence`.
"""

from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext

from applications.evidence import Answer, State, Step
from applications.models import Environment
from moderation import gates
from moderation.evidence import user_steps
from moderation.lists import allowlists_on
from moderation.models import AllowlistEntry, BlocklistEntry, ListEntry, Mute
from users import friends, messages
from users.evidence import deactivated_step, registered_step
from users.models import AppUser, DeactivatedUser


def of_pair(
    *, environment: Environment, sender_id: str, recipient_id: str, now: datetime
) -> Answer:
    """Why `sender_id` may or may not write to `recipient_id`. Both are valid ids."""
    verdict = gates.may_message(
        environment=environment, sender_id=sender_id, recipient_id=recipient_id, now=now
    )
    return Answer(
        question=gettext("May {sender_id} write to {recipient_id}?").format(
            sender_id=sender_id, recipient_id=recipient_id
        ),
        allowed=verdict.allowed,
        summary=verdict.explanation,
        steps=[
            _sender_step(environment, sender_id, now),
            _recipient_step(environment, recipient_id),
            _mute_step(environment, sender_id, now),
            _friends_step(environment, sender_id, recipient_id),
            *_list_steps(environment, sender_id, recipient_id),
            _mailbox_step(environment, recipient_id),
        ],
        remedy=verdict.remedy,
        rule="" if verdict.allowed else verdict.rule,
    )


def _sender_step(environment: Environment, sender_id: str, now: datetime) -> Step:
    verdict = gates.may_connect(environment=environment, user_id=sender_id, now=now)
    user = AppUser.objects.filter(environment=environment, user_id=sender_id).first()
    steps = user_steps(environment=environment, user_id=sender_id, user=user, now=now)
    deciding = next((step for step in steps if step.rule == verdict.rule), None)
    return Step(
        rule=verdict.rule if not verdict.allowed else "sender",
        title=gettext("{sender_id} may connect").format(sender_id=sender_id),
        state=State.HOLDS if verdict.allowed else State.REFUSES,
        explanation=verdict.explanation,
        facts=deciding.facts if deciding else {},
        mend=deciding.mend if deciding else "",
        about=deciding.about if deciding else {},
    )


def _recipient_step(environment: Environment, recipient_id: str) -> Step:
    user = AppUser.objects.filter(environment=environment, user_id=recipient_id).first()
    tombstone = DeactivatedUser.objects.filter(
        environment=environment, user_id=recipient_id
    ).first()
    found = (
        deactivated_step(tombstone, recipient_id)
        if tombstone is not None
        else registered_step(
            environment=environment, user_id=recipient_id, user=user, deactivated=False
        )
    )
    rules = {"deactivated": "recipient_deactivated", "not_registered": "unknown_user"}
    return Step(
        rule=rules[found.rule],
        title=gettext("{recipient_id} is registered").format(recipient_id=recipient_id),
        state=found.state,
        explanation=found.explanation,
        facts=found.facts,
        mend=found.mend,
        about=found.about,
    )


def _mute_step(environment: Environment, sender_id: str, now: datetime) -> Step:
    mute = Mute.objects.filter(
        environment=environment, user_id=sender_id, channel=Mute.Channel.DIRECT
    ).first()
    step = partial(
        Step,
        rule="muted",
        title=gettext("{sender_id} is not muted in direct messages").format(sender_id=sender_id),
    )
    if mute is None or (mute.expires_at is not None and mute.expires_at <= now):
        return step(
            state=State.HOLDS,
            explanation=gettext("Not muted.")
            if mute is None
            else gettext("The last mute is over."),
            facts={"ended": mute.expires_at} if mute is not None else {},
        )
    return step(
        state=State.REFUSES,
        explanation=gettext("{sender_id} is muted in direct messages.").format(sender_id=sender_id),
        facts={
            "until": mute.expires_at or "permanent",
            "since": mute.imposed_at,
            "by": mute.imposed_by,
        },
        mend="lift_mute",
        about={"user_id": sender_id, "channel": Mute.Channel.DIRECT.value},
    )


def _friends_step(environment: Environment, sender_id: str, recipient_id: str) -> Step:
    are = bool(
        friends.friends_among(environment=environment, user_id=recipient_id, others=[sender_id])
    )
    step = partial(Step, rule="not_friends", title=gettext("Friends, if only friends may write"))
    if not environment.friends_only:
        return step(
            state=State.RESTS,
            explanation=gettext("They are friends. The environment does not require it.")
            if are
            else gettext("They are not friends. The environment does not require it."),
        )
    return step(
        state=State.HOLDS if are else State.REFUSES,
        explanation=gettext("They are friends. Only friends may write to each other here.")
        if are
        else gettext("They are not friends. Only friends may write to each other here."),
        mend="" if are else "befriend",
        about={"user_id": sender_id, "friend_id": recipient_id},
    )


def _list_steps(environment: Environment, sender_id: str, recipient_id: str) -> list[Step]:
    switched_on = allowlists_on(environment=environment, owner_ids=[sender_id, recipient_id])
    strict = recipient_id in switched_on
    blocked = _entry(BlocklistEntry, environment, recipient_id, sender_id)
    steps = [_allowlist_step(environment, recipient_id, sender_id, recipient_id in switched_on)]
    if sender_id != recipient_id:
        own = _allowlist_step(
            environment, sender_id, recipient_id, strict and sender_id in switched_on
        )
        steps.append(own)
    is_in_force = blocked is not None and not strict
    steps.append(
        Step(
            rule="blocked",
            title=gettext("Not on {recipient_id}'s blocklist").format(recipient_id=recipient_id),
            state=State.REFUSES if is_in_force else State.RESTS if strict else State.HOLDS,
            explanation=_block_words(sender_id, recipient_id, blocked is not None, strict),
            facts=_added(blocked),
            mend="unblock" if is_in_force else "",
            about={"owner_id": recipient_id, "listed_id": sender_id},
        )
    )
    return steps


def _allowlist_step(environment: Environment, owner_id: str, listed_id: str, on: bool) -> Step:
    entry = _entry(AllowlistEntry, environment, owner_id, listed_id)
    return Step(
        rule="not_on_allowlist",
        title=gettext("On {owner_id}'s allowlist, if it is in force").format(owner_id=owner_id),
        state=State.RESTS if not on else State.HOLDS if entry else State.REFUSES,
        explanation=_allow_words(entry is not None, on).format(
            listed_id=listed_id, owner_id=owner_id
        ),
        facts=_added(entry),
        mend="allow" if on and not entry else "",
        about={"owner_id": owner_id, "listed_id": listed_id},
    )


def _block_words(sender_id: str, recipient_id: str, blocked: bool, strict: bool) -> str:
    if not strict:
        words = (
            gettext("{sender_id} is on {recipient_id}'s blocklist.")
            if blocked
            else gettext("{sender_id} is not on {recipient_id}'s blocklist.")
        )
    elif blocked:
        words = gettext(
            "{sender_id} is on {recipient_id}'s blocklist, which has no effect while the "
            "allowlist is on."
        )
    else:
        words = gettext(
            "{sender_id} is not on {recipient_id}'s blocklist, which has no effect while the "
            "allowlist is on."
        )
    return words.format(sender_id=sender_id, recipient_id=recipient_id)


def _allow_words(is_listed: bool, on: bool) -> str:
    if on:
        return (
            gettext("{listed_id} is on {owner_id}'s allowlist.")
            if is_listed
            else gettext("{listed_id} is not on {owner_id}'s allowlist.")
        )
    if is_listed:
        return gettext("{listed_id} is on {owner_id}'s allowlist, which is not in force.")
    return gettext("{listed_id} is not on {owner_id}'s allowlist, which is not in force.")


def _entry(model: Any, environment: Environment, owner_id: str, listed_id: str) -> ListEntry | None:
    entry: ListEntry | None = (
        model.objects.of(environment, owner_id).filter(listed_id=listed_id).first()
    )
    return entry


def _added(entry: ListEntry | None) -> dict[str, Any]:
    return {"since": entry.added_at, "by": entry.added_by} if entry else {}


def _mailbox_step(environment: Environment, recipient_id: str) -> Step:
    full = messages.is_full(environment=environment, user_id=recipient_id)
    return Step(
        rule="mailbox_full",
        title=gettext("Room in {recipient_id}'s mailbox").format(recipient_id=recipient_id),
        state=State.REFUSES if full else State.HOLDS,
        explanation=gettext(
            "{max_waiting:,} messages wait already. {recipient_id} must connect to receive them."
        ).format(max_waiting=messages.MAX_WAITING, recipient_id=recipient_id)
        if full
        else gettext("Fewer than {max_waiting:,} messages wait.").format(
            max_waiting=messages.MAX_WAITING
        ),
    )
