"""Send the deliveries of webhooks, and retry.

Invariants
----------
* A delivery is sent at least once, always under the same message id. Retries follow `DELAYS`, with
  jitter; after `MAX_AGE` it is given up. An endpoint that answers 410 is disabled.
* One sender at a time for each endpoint, with `PARALLEL` requests: it holds the endpoint's turn. If
  a sender dies, its turn ends after `TURN`, and its deliveries are sent again.
* An endpoint that fails is paused, the longer it fails the longer. Its deliveries, even a hundred
  thousand, do not delay those of other endpoints.
* No HTTP inside a transaction.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform

from cryptography.fernet import InvalidToken
from django.db import transaction

from applications import metrics, outbound, retention, webhooks
from applications.announcements import EXAMPLES, TEST, new_message_id, wake_sender
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Delivery, Webhook
from applications.webhook_formats import Format

# Before the second attempt, the third, … : 65 hours in total, 71 with the longest jitter.
DELAYS = [
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 72_000, 86_400)
]
JITTER = 0.1
MAX_AGE = timedelta(days=3)
PARALLEL = 10
# Longer than any request: resolving the name, `outbound.CONNECT_TIMEOUT` and `DEADLINE`.
TURN = timedelta(minutes=2)
MAX_PAUSE = timedelta(minutes=1)

log = logging.getLogger(__name__)


class EndpointDisabled(Exception):
    """Nothing is sent to the endpoint; enable it first."""


@dataclass(frozen=True)
class Turn:
    """Deliveries that only the holder of the turn sends, until `until`."""

    webhook: Webhook
    batch: Sequence[Delivery]
    until: datetime


@dataclass(frozen=True)
class Result:
    """Result of an attempt: the HTTP status, or why there is none."""

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
    """Due deliveries of the endpoint, for this caller only; None if there are none, another sender
    has the turn, or the endpoint is paused.
    """
    until = now + TURN
    endpoint = Webhook.objects.filter(pk=webhook_id)
    if not endpoint.listening().filter(next_turn_at__lte=now).update(next_turn_at=until):
        return None
    webhook = endpoint.select_related("environment__application").get()
    batch = list(webhook.deliveries.due(now).order_by("next_attempt_at", "pk")[:PARALLEL])
    if not batch:
        endpoint.update(next_turn_at=now)
        return None
    for delivery in batch:
        delivery.webhook = webhook
    return Turn(webhook, batch, until)


def send(turn: Turn, *, now: datetime) -> list[Result]:
    """Make the requests, in parallel. Does not use the database."""
    format = webhooks.format_of(turn.webhook)
    try:
        secrets = format.signing_secrets(turn.webhook)
    except InvalidToken:
        return [Result(error="The signing secret cannot be decrypted")] * len(turn.batch)
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda each: _logged(each, format, secrets, now), turn.batch))


def _logged(delivery: Delivery, format: Format, secrets: list[str], now: datetime) -> Result:
    started, environment = time.perf_counter(), delivery.webhook.environment
    result = _attempt(delivery, format, secrets, now)
    facts = {
        "application": environment.application.org_name,
        "environment": environment.kind,
        "webhook": delivery.webhook_id,
        "message_id": delivery.message_id,
        "event": delivery.event,
        "attempt": delivery.attempts + 1,
        "status": result.status or result.error,
        "ms": round(1000 * (time.perf_counter() - started), 1),
        "request": delivery.request_id,
    }
    log.info("delivery", extra={"facts": facts})
    return result


def _attempt(delivery: Delivery, format: Format, secrets: list[str], now: datetime) -> Result:
    if delivery.event not in format.events:
        return Result(error="The endpoint's format does not support this event", is_final=True)
    body = format.body(delivery)
    signed = format.sign(delivery, body, secrets, now)
    headers = {
        "Content-Type": body.content_type,
        "User-Agent": "Rollcall-Webhooks",
        **signed.headers,
    }
    try:
        status = outbound.post(signed.url, headers=headers, body=body.text.encode())
    except (outbound.Refused, outbound.NoAnswer) as failure:
        return Result(error=str(failure)[:200])
    return Result(status=status)


@transaction.atomic
def settle(turn: Turn, results: Sequence[Result], *, now: datetime) -> None:
    """Record the results of the attempts, and end the turn."""
    webhook = Webhook.objects.select_for_update().filter(pk=turn.webhook.pk).first()
    if webhook is None:  # removed during the requests
        return
    for delivery, result in zip(turn.batch, results, strict=True):
        _apply(result, delivery, now)
        _count(result, delivery, now)
    # Only waiting ones: a sender that has lost its turn may have settled them.
    Delivery.objects.waiting().bulk_update(
        turn.batch, ["attempts", "status", "error", "state", "next_attempt_at", "finished_at"]
    )
    failing_since = None
    if not any(result.is_success for result in results):
        failing_since = webhook.failing_since or now
    pause = min(now - failing_since, MAX_PAUSE) if failing_since else timedelta(0)
    Webhook.objects.filter(pk=webhook.pk, next_turn_at=turn.until).update(
        next_turn_at=now + pause, failing_since=failing_since
    )
    if any(result.status == 410 for result in results):
        by = Actor.system("webhooks")
        webhooks.disable(webhook=webhook, reason="It answered 410 Gone", by=by, now=now)


def _count(result: Result, delivery: Delivery, now: datetime) -> None:
    metrics.WEBHOOK_ATTEMPTS.labels("delivered" if result.is_success else "failed").inc()
    if result.is_success:
        metrics.WEBHOOK_LAG.observe(max((now - delivery.queued_at).total_seconds(), 0))


def _apply(result: Result, delivery: Delivery, now: datetime) -> None:
    delivery.attempts += 1
    delivery.status, delivery.error = result.status, result.error
    if result.is_success:
        delivery.state, delivery.finished_at = Delivery.State.DELIVERED, now
        return
    next_attempt_at = None if result.is_final else retry_at(delivery, now)
    if next_attempt_at is None:
        delivery.state, delivery.finished_at = Delivery.State.FAILED, now
    else:
        delivery.next_attempt_at = next_attempt_at


def retry_at(delivery: Delivery, now: datetime) -> datetime | None:
    """The time of the next attempt; None to give up."""
    if delivery.attempts > len(DELAYS):
        return None
    delay = DELAYS[delivery.attempts - 1]
    again = now + delay * uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, no secret
    return again if again < delivery.queued_at + MAX_AGE else None


@transaction.atomic
def replay(*, delivery: Delivery, by: Actor, now: datetime) -> Delivery:
    """Send the same event again, as a new delivery with the same message id.

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
        request_id=delivery.request_id,
    )


@transaction.atomic
def send_test(*, webhook: Webhook, by: Actor, now: datetime) -> Delivery:
    """Send a test event. A format that does not support it sends the first event that the endpoint
    has chosen, with example data.

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


def _queue(webhook: Webhook, now: datetime, **fields: object) -> Delivery:
    if webhook.is_disabled:
        raise EndpointDisabled
    queued = Delivery.objects.create(webhook=webhook, queued_at=now, next_attempt_at=now, **fields)
    wake_sender()
    return queued


def give_up_old(*, now: datetime) -> int:
    """Give up deliveries that have waited for `MAX_AGE`, attempted or not; returns their number."""
    return Delivery.objects.filter(queued_at__lte=now - MAX_AGE).give_up(now)


def forget_old(*, now: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` finished deliveries of each endpoint that its environment no longer
    keeps, and of those whose endpoint was removed; returns their number.
    """
    endpoints = Webhook.objects.values_list("pk", "environment__keep_deliveries")
    forgotten = 0
    for webhook_id, kept in endpoints.order_by("pk"):
        # The oldest by id, which is the order in which they were queued.
        oldest = Delivery.objects.filter(webhook=webhook_id).order_by("pk")
        rows = list(oldest.values_list("pk", "finished_at")[:limit])
        old = [key for key, finished_at in rows if finished_at and finished_at <= now - kept]
        forgotten += Delivery.objects.filter(pk__in=old).delete()[0]
    removed = Delivery.objects.filter(finished_at__lte=now - retention.DELIVERIES.most)
    left = list(removed.order_by("finished_at").values_list("pk", flat=True)[:limit])
    return forgotten + Delivery.objects.filter(pk__in=left).delete()[0]
