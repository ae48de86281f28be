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

from django.utils.translation import gettext, ngettext

from applications import request_log, vendors
from applications.models import AuditEvent, Delivery, Environment
from applications.request_log import LoggedCall

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


def find_delivery(environment: Environment, message_id: str) -> Delivery | None:
    """The newest delivery of the message to an endpoint of this environment."""
    return (
        Delivery.objects.filter(message_id=message_id, webhook__environment=environment)
        .select_related("webhook")
        .order_by("-pk")
        .first()
    )


def of_delivery(*, delivery: Delivery, now: datetime) -> Answer:
    """Why this webhook delivery has arrived, or has not."""
    webhook = delivery.webhook
    about = {"webhook_id": webhook.pk, "delivery_id": delivery.pk}
    delivered = delivery.state == Delivery.State.DELIVERED
    failed = delivery.state == Delivery.State.FAILED
    steps = [
        Step(
            rule="event",
            title=gettext("The event happened"),
            state=State.HOLDS,
            explanation=f"{delivery.event}, for {webhook.url}",
            facts={"at": delivery.occurred_at, "queued": delivery.queued_at},
        ),
        Step(
            rule="endpoint",
            title=gettext("The endpoint is enabled"),
            state=State.REFUSES if webhook.is_disabled and not delivered else State.HOLDS,
            explanation=gettext("Disabled: {disabled_reason}").format(
                disabled_reason=gettext(webhook.disabled_reason)
            )
            if webhook.is_disabled
            else gettext("It is enabled."),
            facts={"since": webhook.disabled_at} if webhook.is_disabled else {},
            mend="enable_webhook" if webhook.is_disabled else "",
            about=about,
        ),
        Step(
            rule="attempt",
            title=gettext("The receiver answers with 2xx"),
            state=State.HOLDS
            if delivered
            else State.REFUSES
            if failed or delivery.attempts
            else State.DEPENDS,
            explanation=_attempts(delivery),
            facts={
                **({"last status": f"HTTP {delivery.status}"} if delivery.status else {}),
                **({"error": delivery.error} if delivery.error else {}),
                **({"finished": delivery.finished_at} if delivery.finished_at else {}),
                **({} if delivered or failed else {"next attempt": delivery.next_attempt_at}),
            },
            mend="replay" if failed else "",
            about=about,
        ),
    ]
    refusal = None if delivered else first_refusal(steps)
    return Answer(
        question=gettext("Has this webhook delivery arrived?"),
        allowed=delivered,
        summary=gettext("The receiver has it.")
        if delivered
        else gettext("The receiver does not have it yet."),
        steps=steps,
        rule=refusal.rule if refusal else "",
    )


def _attempts(delivery: Delivery) -> str:
    times = ngettext("{count} attempt", "{count} attempts", delivery.attempts).format(
        count=delivery.attempts
    )
    match delivery.state:
        case Delivery.State.DELIVERED:
            return gettext("Delivered after {times}.").format(times=times)
        case Delivery.State.FAILED:
            return gettext("Given up after {times}.").format(times=times)
    return (
        gettext("Waiting, after {times}.").format(times=times)
        if delivery.attempts
        else gettext("Waiting for the first attempt.")
    )


def lines_of_request(environment: Environment, request_id: str) -> list[AuditEvent]:
    """The audit lines of this environment that a request left, oldest first."""
    if not request_id:
        return []
    lines = AuditEvent.objects.filter(environment=environment, request_id=request_id)
    return list(lines.order_by("pk")[:MOST_LINES])


def find_call(environment: Environment, request_id: str) -> LoggedCall | None:
    """The newest call with this id that the request log still has."""
    calls = request_log.lately(environment).calls if request_id else []
    return next((call for call in calls if call.request_id == request_id), None)


def of_call(call: LoggedCall) -> Answer:
    """Why an app server's call was refused, as far as the request log tells."""
    answered = f"HTTP {call.status}"
    if call.code:
        answered = gettext("HTTP {status}, code {code}").format(status=call.status, code=call.code)
    steps = [
        Step(
            rule="secret",
            title=gettext("Signed with a live secret"),
            state=State.HOLDS
            if call.secret_hint
            else State.REFUSES
            if call.is_refused
            else State.DEPENDS,
            explanation=gettext("Signed with the secret …{secret_hint}.").format(
                secret_hint=call.secret_hint
            )
            if call.secret_hint
            else gettext(
                "It has no signature of a live secret, or another way in, such as a token."
            ),
            mend="" if call.secret_hint or not call.is_refused else "add_secret",
        ),
        Step(
            rule="answer",
            title=gettext("Carried out"),
            state=State.REFUSES if call.is_refused else State.HOLDS,
            explanation=f"{call.method} {call.path}: {answered}",
            facts={"at": call.moment, "call": call.name, "from": call.address},
        ),
    ]
    refusal = first_refusal(steps) if call.is_refused else None
    return Answer(
        question=gettext("Was the call {request_id} carried out?").format(
            request_id=call.request_id
        ),
        allowed=not call.is_refused,
        summary=gettext("It was answered with {answered}.").format(answered=answered),
        steps=steps,
        rule=refusal.rule if refusal else "",
    )
