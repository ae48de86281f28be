"""Why a user, or a client with an access token, can or cannot connect: every rule, in order.

Invariants
----------
* `moderation.gates` decides, and its verdict is the answer's. The first rule that refuses here is
  the rule that the gate names (tests/moderation/test_evidence.py).
* Like `applications.evidence`: it only reads, and every id has an answer.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.utils.translation import gettext

from applications.evidence import Answer, State, Step, first_refusal
from applications.models import Environment
from moderation import gates
from moderation.models import Ban
from users.app_token_evidence import app_token_steps, is_app_token
from users.evidence import (
    any_token_step,
    deactivated_step,
    registered_step,
    token_steps,
)
from users.models import AppUser, DeactivatedUser
from users.room_evidence import connections_step, place_step


def of_user(*, environment: Environment, user_id: str, now: datetime) -> Answer:
    """Why the user with this id can or cannot connect. `user_id` is a valid id."""
    user = AppUser.objects.filter(environment=environment, user_id=user_id).first()
    steps = user_steps(environment=environment, user_id=user_id, user=user, now=now)
    if user is not None:
        steps.insert(3, any_token_step(environment=environment, user=user))
    verdict = gates.may_connect(environment=environment, user_id=user_id, now=now)
    refusal = first_refusal(steps)
    summary = verdict.explanation
    if verdict.allowed and refusal is not None:  # connections, which the gateway counts
        summary = refusal.explanation
    return Answer(
        question=gettext("Can {user_id} connect?").format(user_id=user_id),
        allowed=verdict.allowed and refusal is None,
        summary=summary,
        steps=steps,
        remedy=verdict.remedy,
        rule=verdict.rule if not verdict.allowed else refusal.rule if refusal else "",
    )


def of_token(
    *, environment: Environment, token: str, nameable: Collection[int], now: datetime
) -> Answer:
    """Why a client with this access token can or cannot connect. `nameable` are the applications
    that the caller may know of.
    """
    user_id: str | None
    if is_app_token(token):
        steps, user_id = app_token_steps(environment=environment, token=token, now=now)
    else:
        steps, claims = token_steps(
            environment=environment, token=token, nameable=nameable, now=now
        )
        user_id = claims.user_id if claims is not None else None
    summary, remedy = gettext("A client with this access token can connect."), ""
    if user_id is not None:
        user = AppUser.objects.filter(environment=environment, user_id=user_id).first()
        steps += user_steps(environment=environment, user_id=user_id, user=user, now=now)
    refusal = first_refusal(steps)
    if refusal is not None:
        summary = refusal.explanation
        remedy = (
            gettext("The client needs a new access token: your app server issues it.")
            if refusal.mend == "new_token"
            else ""
        )
    return Answer(
        question=gettext("Can {user_id} connect with this token?").format(user_id=user_id)
        if user_id
        else gettext("Can a client connect with this token?"),
        allowed=refusal is None,
        summary=summary,
        steps=steps,
        remedy=remedy,
        rule=refusal.rule if refusal else "",
    )


def user_steps(
    *, environment: Environment, user_id: str, user: AppUser | None, now: datetime
) -> list[Step]:
    """The rules about a user: not banned, not deactivated, registered, room for a connection."""
    tombstone = DeactivatedUser.objects.filter(environment=environment, user_id=user_id).first()
    steps = [
        _ban_step(environment, user_id, now),
        deactivated_step(tombstone, user_id),
        registered_step(
            environment=environment,
            user_id=user_id,
            user=user,
            deactivated=tombstone is not None,
        ),
    ]
    if user is None:
        steps.append(place_step(environment=environment, now=now))
    else:
        steps.append(connections_step(environment=environment, user_id=user_id, now=now))
    return steps


def _ban_step(environment: Environment, user_id: str, now: datetime) -> Step:
    latest = Ban.objects.filter(environment=environment, user_id=user_id).order_by("-pk").first()
    step = partial(Step, rule="banned", title=gettext("Not banned"))
    if latest is None:
        return step(state=State.HOLDS, explanation=gettext("The id has never been banned."))
    if not latest.is_in_force(now):
        word = gettext(latest.get_outcome_display() if latest.outcome else "expired")
        return step(
            state=State.HOLDS,
            explanation=gettext("The last ban is over: {word}.").format(word=word),
            facts={"ended": latest.changed_at(now), "line of the ledger": latest.pk},
            about={"user_id": user_id},
        )
    return step(
        state=State.REFUSES,
        explanation=gettext("{user_id} is banned.").format(user_id=user_id),
        facts={
            "until": latest.expires_at or "permanent",
            "since": latest.banned_since,
            "by": latest.imposed_by,
            "via": latest.imposed_via,
            **({"reason": latest.reason} if latest.reason else {}),
            "line of the ledger": latest.pk,
        },
        mend="lift_ban",
        about={"user_id": user_id, "ban_id": latest.pk},
    )
