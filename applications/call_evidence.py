"""The evidence about a webhook delivery and about an app server's call: what became of it."""

from datetime import datetime

from django.utils.translation import gettext, ngettext

from applications import request_log
from applications.evidence import MOST_LINES, Answer, State, Step, first_refusal
from applications.models import AuditEvent, Delivery, Environment
from applications.request_log import LoggedCall


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
