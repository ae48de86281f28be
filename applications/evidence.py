"""The answer to "why?": each rule in order, whether it holds, and the record that shows it.

`users.evidence` and `moderation.evidence` have the rules about tokens and users. This module has
the rules about app keys, webhook deliveries and requests, and what all of them share.

Invariants
----------
* Evidence is only read, and only about the environment that is asked. Of other environments it says
  no more than whether they have the key or the user, and only of those that the caller names.
* An answer exists for any text. What is not known is a step that says so, not an error.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from django.utils.translation import gettext

from applications import vendors
from applications.models import AuditEvent, Environment

# Lines of one request that are shown; a batch of thousands of users has a line for each.
MOST_LINES = 50


class State(StrEnum):
    """Whether a rule holds."""

    HOLDS = "yes"
    REFUSES = "no"
    RESTS = "rests"  # not in force here, or not reached because an earlier rule refuses
    DEPENDS = "depends"  # on something that is not known here, such as the token of the client


@dataclass(frozen=True)
class Step:
    """One rule. `facts` are labels and values: text, numbers or moments. `mend` names what would
    change a refusal, and `about` is what it needs to know; doors map both to their buttons.
    """

    rule: str
    title: str
    state: State
    explanation: str
    facts: dict[str, Any] = field(default_factory=dict)
    mend: str = ""
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The steps in order. The first step that refuses decides."""

    question: str
    allowed: bool | None  # None: the question has no yes or no
    summary: str
    steps: Sequence[Step]
    remedy: str = ""
    rule: str = ""  # the rule that decides


def first_refusal(steps: Sequence[Step]) -> Step | None:
    return next((step for step in steps if step.state == State.REFUSES), None)


def act(event: AuditEvent | None) -> dict[str, Any]:
    """Who did it, by which door and when, as facts."""
    if event is None:
        return {}
    return {"at": event.at, "by": event.actor, "via": event.via, "request": event.request_id}


def environment_step(
    environment: Environment, owner: Environment | None, *, nameable: Collection[int], noun: str
) -> Step:
    """Whether `owner` is the environment that is asked. Another one is named only if its
    application is among `nameable`.
    """
    step = partial(Step, rule="environment", title=gettext("Of this environment"))
    if owner is not None and owner.pk == environment.pk:
        return step(
            state=State.HOLDS,
            explanation=gettext("The {noun} belongs to {full_name}.").format(
                noun=gettext(noun), full_name=environment.full_name
            ),
        )
    if owner is None or owner.application_id not in nameable:
        return step(
            state=State.REFUSES,
            explanation=gettext("The {noun} belongs to no environment that you can see.").format(
                noun=gettext(noun)
            ),
        )
    return step(
        state=State.REFUSES,
        explanation=gettext("The {noun} belongs to {full_name}, not to {here}.").format(
            noun=gettext(noun), full_name=owner.full_name, here=environment.full_name
        ),
        facts={"environment": owner.full_name},
        mend="ask_there",
        about={"org_name": owner.application.org_name, "kind": owner.kind},
    )


def of_app_key(
    *, environment: Environment, app_key: str, nameable: Collection[int], now: datetime
) -> Answer:
    """What decides whether calls with this app key are accepted. `nameable` are the applications
    that the caller may know of.
    """
    owner = (
        Environment.objects.select_related("application")
        .filter(app_key=app_key, application__in=nameable)
        .first()
    )
    steps = [environment_step(environment, owner, nameable=nameable, noun="app key")]
    if steps[0].state == State.HOLDS:
        steps += [_accepts_vendors(environment), _has_secrets(environment)]
        steps.append(_rates(environment))
    refusal = first_refusal(steps)
    return Answer(
        question=gettext("Are calls with this app key accepted?"),
        allowed=refusal is None,
        summary=refusal.explanation
        if refusal
        else gettext("Calls signed with a live secret are accepted."),
        steps=steps,
        rule=refusal.rule if refusal else "",
    )


def _accepts_vendors(environment: Environment) -> Step:
    names = [
        each.title for each in vendors.vendors() if each.name in environment.application.vendors
    ]
    return Step(
        rule="vendors",
        title=gettext("The application accepts calls"),
        state=State.HOLDS if names else State.REFUSES,
        explanation=gettext("Of {names}.").format(names=", ".join(names))
        if names
        else gettext("It accepts the calls of no vendor."),
        mend="" if names else "change_application",
    )


def _has_secrets(environment: Environment) -> Step:
    live = list(environment.secrets.live().order_by("pk"))
    return Step(
        rule="secret",
        title=gettext("Signed with a live secret"),
        state=State.DEPENDS if live else State.REFUSES,
        explanation=gettext("A call that is signed with another secret is refused.")
        if live
        else gettext("No secret is live."),
        facts={f"…{secret.hint} last used": secret.last_used_at or "never" for secret in live},
        mend="" if live else "add_secret",
    )


def _rates(environment: Environment) -> Step:
    own = sum(
        len(document.get("rate_limits", {})) for document in environment.vendor_settings.values()
    )
    changed = (
        gettext("{own} of them are changed here").format(own=own)
        if own
        else gettext("they are the vendors' own here")
    )
    return Step(
        rule="rate_limit",
        title=gettext("Below the rate limits of the key"),
        state=State.DEPENDS,
        explanation=gettext(
            "Each call has a limit per second; {changed}. Above it, a call gets HTTP 429."
        ).format(changed=changed),
        mend="see_limits",
    )
