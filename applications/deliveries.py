"""Send what webhooks are to hear, and try again.

Invariants
----------
* Sent at least once, each time under the same message id. Retries follow `DELAYS`, with jitter;
  after `PATIENCE` it is given up. An endpoint that answers 410 is disabled.
* One sender at a time for each endpoint, `PARALLEL` requests at once: it holds the endpoint's turn.
  A sender that dies loses it after `TURN`, and what it held is sent again.
* An endpoint that fails rests, for longer the longer it fails: what waits for it, be it a hundred
  thousand, holds up nobody else's.
* No HTTP inside a transaction.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform

from cryptography.fernet import InvalidToken
from django.db import transaction

from applications import outbound, webhooks
from applications.announcements import EXAMPLES, TEST, new_message_id, wake_sender
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Delivery, Webhook
from applications.webhook_formats import Format

# Before the second attempt, the third, … : 65 hours in all, 71 with the longest jitter.
DELAYS = [
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 72_000, 86_400)
]
JITTER = 0.1
PATIENCE = timedelta(days=3)
PARALLEL = 10
# Above what any request takes: the name's resolver, `outbound.CONNECT_TIMEOUT` and `DEADLINE`.
TURN = timedelta(minutes=2)
LONGEST_REST = timedelta(minutes=1)
KEPT_FOR = timedelta(days=30)


class EndpointDisabled(Exception):
    """Nothing is sent to it; enable it first."""


@dataclass(frozen=True)
class Turn:
    """Deliveries that their holder alone sends, until `until`."""

    webhook: Webhook
    batch: Sequence[Delivery]
    until: datetime


@dataclass(frozen=True)
class Answer:
    """How an attempt went: the HTTP status, or why there is none."""

    status: int | None = None
    error: str = ""
    is_final: bool = False

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def endpoints_with_work(*, now: datetime) -> list[int]:
    return list(Webhook.objects.with_work(now).values_list("pk", flat=True))


@transaction.atomic
def take_turn(*, webhook_id: int, now: datetime) -> Turn | None:
    """Some due deliveries of the endpoint, for the caller alone; None when there are none, somebody
    else is sending, or it rests.
    """
    until = now + TURN
    endpoint = Webhook.objects.filter(pk=webhook_id)
    if not endpoint.listening().filter(next_turn_at__lte=now).update(next_turn_at=until):
        return None
    webhook = endpoint.select_related("environment").get()
    batch = list(webhook.deliveries.due(now).order_by("next_attempt_at", "pk")[:PARALLEL])
    if not batch:
        endpoint.update(next_turn_at=now)
        return None
    for delivery in batch:
        delivery.webhook = webhook
    return Turn(webhook, batch, until)


def send(turn: Turn, *, now: datetime) -> list[Answer]:
    """Make the requests, at once. Touches no database row."""
    chosen = webhooks.format_of(turn.webhook)
    try:
        texts = chosen.signing_secrets(turn.webhook)
    except InvalidToken:
        return [Answer(error="The signing secret cannot be decrypted")] * len(turn.batch)
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda each: _ask(each, chosen, texts, now), turn.batch))


def _ask(delivery: Delivery, chosen: Format, texts: list[str], now: datetime) -> Answer:
    if delivery.event not in chosen.events:
        return Answer(error="The endpoint's format has no words for this event", is_final=True)
    body = chosen.body(delivery)
    signed = chosen.sign(delivery, body, texts, now)
    headers = {
        "Content-Type": body.content_type,
        "User-Agent": "Rollcall-Webhooks",
        **signed.headers,
    }
    try:
        status = outbound.post(signed.url, headers=headers, body=body.text.encode())
    except (outbound.Refused, outbound.NoAnswer) as failure:
        return Answer(error=str(failure)[:200])
    return Answer(status=status)


@transaction.atomic
def settle(turn: Turn, answers: Sequence[Answer], *, now: datetime) -> None:
    """Write down how the attempts went, and give the turn back."""
    webhook = Webhook.objects.select_for_update().filter(pk=turn.webhook.pk).first()
    if webhook is None:  # removed while it was being called
        return
    for delivery, answer in zip(turn.batch, answers, strict=True):
        _note(delivery, answer, now)
    # Only what still waits: whoever lost the turn may come late.
    Delivery.objects.waiting().bulk_update(
        turn.batch, ["attempts", "status", "error", "state", "next_attempt_at", "finished_at"]
    )
    failing_since = None
    if not any(answer.is_success for answer in answers):
        failing_since = webhook.failing_since or now
    rest = min(now - failing_since, LONGEST_REST) if failing_since else timedelta(0)
    Webhook.objects.filter(pk=webhook.pk, next_turn_at=turn.until).update(
        next_turn_at=now + rest, failing_since=failing_since
    )
    if any(answer.status == 410 for answer in answers):
        by = Actor.system("webhooks")
        webhooks.disable(webhook=webhook, reason="It answered 410 Gone", by=by, now=now)


def _note(delivery: Delivery, answer: Answer, now: datetime) -> None:
    delivery.attempts += 1
    delivery.status, delivery.error = answer.status, answer.error
    if answer.is_success:
        delivery.state, delivery.finished_at = Delivery.State.DELIVERED, now
        return
    next_attempt_at = None if answer.is_final else retry_at(delivery, now)
    if next_attempt_at is None:
        delivery.state, delivery.finished_at = Delivery.State.FAILED, now
    else:
        delivery.next_attempt_at = next_attempt_at


def retry_at(delivery: Delivery, now: datetime) -> datetime | None:
    """When to try again after so many attempts; None to give up."""
    if delivery.attempts > len(DELAYS):
        return None
    delay = DELAYS[delivery.attempts - 1]
    again = now + delay * uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, no secret
    return again if again < delivery.queued_at + PATIENCE else None


@transaction.atomic
def replay(*, delivery: Delivery, by: Actor, now: datetime) -> Delivery:
    """Send the same event again, as a delivery of its own under the same message id.

    Raises `EndpointDisabled`.
    """
    after = {"message": delivery.message_id, "event": delivery.event}
    webhooks.record(AuditType.WEBHOOK_REPLAYED, delivery.webhook, by, now, after=after)
    return _queue(
        delivery.webhook,
        now,
        message_id=delivery.message_id,
        event=delivery.event,
        data=delivery.data,
        occurred_at=delivery.occurred_at,
    )


@transaction.atomic
def send_test(*, webhook: Webhook, by: Actor, now: datetime) -> Delivery:
    """An event that happened to nobody. A format without a word for tests sends the first event
    that the endpoint listens for, with the data of an example.

    Raises `EndpointDisabled`.
    """
    event = TEST if TEST in webhooks.format_of(webhook).events else webhook.events[0]
    webhooks.record(AuditType.WEBHOOK_TESTED, webhook, by, now, after={"event": event})
    return _queue(
        webhook,
        now,
        message_id=new_message_id(),
        event=event,
        data={"by": by.name} if event == TEST else EXAMPLES[event],
        occurred_at=now,
    )


def _queue(webhook: Webhook, now: datetime, **said: object) -> Delivery:
    if webhook.is_disabled:
        raise EndpointDisabled
    queued = Delivery.objects.create(webhook=webhook, queued_at=now, next_attempt_at=now, **said)
    wake_sender()
    return queued


def give_up_old(*, now: datetime) -> int:
    """Settle what has waited for too long, tried or not; how many."""
    return Delivery.objects.filter(queued_at__lte=now - PATIENCE).give_up(now)


def forget_old(*, now: datetime, limit: int = 1_000) -> int:
    """Drop some of what was settled long ago from the delivery log; how many."""
    old = Delivery.objects.filter(finished_at__lte=now - KEPT_FOR).order_by("finished_at")
    doomed = list(old.values_list("pk", flat=True)[:limit])
    return Delivery.objects.filter(pk__in=doomed).delete()[0]
