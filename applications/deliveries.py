"""Send what webhooks are to hear, and try again.

Invariants
----------
* Sent at least once, each time under the same message id. Retries follow `DELAYS`, with jitter,
  over three days; then it is given up. An endpoint that answers 410 is disabled.
* No HTTP inside a transaction, no redirects followed, and no address but a public one: the name is
  resolved once, checked, and the connection goes to the very address that was checked.
"""

import ipaddress
import socket
from datetime import datetime, timedelta
from random import uniform
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from django.db import transaction

from applications import vault, webhooks
from applications.announcements import wake_sender
from applications.audit import Actor
from applications.models import Delivery
from applications.webhooks import Prepared

# Before the second attempt, the third, … : 68 hours in all.
DELAYS = [
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
]
JITTER = 0.1
TIMEOUT = urllib3.Timeout(connect=5, read=10)
# While a delivery is being sent nobody else takes it; a sender that dies leaves it for later.
CLAIMED_FOR = timedelta(minutes=1)
KEPT_FOR = timedelta(days=30)
ANSWER_LIMIT = 4_096  # bytes of an answer that are read


class AddressRefused(Exception):
    """The endpoint's name leads to an address that is not public."""


@transaction.atomic
def claim(*, now: datetime, limit: int) -> list[int]:
    """Take some due deliveries to be sent one by one; nobody else takes them for `CLAIMED_FOR`."""
    claimed = list(
        Delivery.objects.due(now)
        .select_for_update(skip_locked=True)
        .order_by("next_attempt_at")
        .values_list("pk", flat=True)[:limit]
    )
    Delivery.objects.filter(pk__in=claimed).update(next_attempt_at=now + CLAIMED_FOR)
    return claimed


def attempt(*, delivery_id: int, now: datetime) -> Delivery | None:
    """Send a claimed delivery and write down how it went; None when it is settled already."""
    delivery = (
        Delivery.objects.select_related("webhook__environment")
        .filter(pk=delivery_id, state=Delivery.State.WAITING)
        .first()
    )
    if delivery is None:
        return None
    webhook = delivery.webhook
    if webhook.disabled_at is not None:
        return _settle(delivery, Delivery.State.FAILED, now, None, "The endpoint is disabled")
    texts = [vault.decrypt(each) for each in (webhook.secret, webhook.former_secret) if each]
    try:
        status, error = _post(webhooks.formats[webhook.format](delivery, texts, now)), ""
    except (urllib3.exceptions.HTTPError, AddressRefused, OSError) as failure:
        status, error = None, f"{type(failure).__name__}: {failure}"[:200]
    delivery.attempts += 1
    if status is not None and 200 <= status < 300:
        return _settle(delivery, Delivery.State.DELIVERED, now, status, "")
    if status == 410:
        webhooks.disable(
            webhook=webhook, reason="answered 410", by=Actor.system("webhooks"), now=now
        )
        return _settle(delivery, Delivery.State.FAILED, now, status, "The endpoint is gone")
    if delivery.attempts > len(DELAYS):
        return _settle(delivery, Delivery.State.FAILED, now, status, error or "Given up")
    wait = DELAYS[delivery.attempts - 1] * uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    delivery.status, delivery.error, delivery.next_attempt_at = status, error, now + wait
    delivery.save(update_fields=["attempts", "status", "error", "next_attempt_at"])
    return delivery


def _settle(
    delivery: Delivery, state: Delivery.State, now: datetime, status: int | None, error: str
) -> Delivery:
    delivery.state, delivery.status, delivery.error = state, status, error
    delivery.finished_at = now
    delivery.save(update_fields=["state", "attempts", "status", "error", "finished_at"])
    return delivery


@transaction.atomic
def replay(*, delivery: Delivery, by: Actor, now: datetime) -> Delivery:
    """Send the same event again, as a delivery of its own under the same message id."""
    again = Delivery.objects.create(
        webhook=delivery.webhook,
        message_id=delivery.message_id,
        event=delivery.event,
        data=delivery.data,
        occurred_at=delivery.occurred_at,
        next_attempt_at=now,
    )
    webhooks.record(
        "webhook.replayed", delivery.webhook, by, now, after={"message": delivery.message_id}
    )
    wake_sender()
    return again


def forget_old(*, now: datetime, limit: int = 1_000) -> int:
    """Drop what was settled long ago from the delivery log; how many."""
    old = Delivery.objects.filter(finished_at__lte=now - KEPT_FOR).order_by("finished_at")
    doomed = list(old.values_list("pk", flat=True)[:limit])
    return Delivery.objects.filter(pk__in=doomed).delete()[0]


def _post(request: Prepared) -> int:
    """The HTTP status of the answer."""
    parts = urlsplit(request.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _public_address(host, port)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, server_hostname=host, assert_hostname=host, timeout=TIMEOUT
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=TIMEOUT)
    with pool:
        answer = pool.urlopen(
            "POST",
            f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}",
            body=request.body,
            headers={"host": parts.netloc, "user-agent": "rollcall-webhooks", **request.headers},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        answer.read(ANSWER_LIMIT)
        return answer.status


def _public_address(host: str, port: int) -> str:
    """The address to connect to. Every address of the name must be public: a name that leads to
    both would be let in by chance.
    """
    found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not settings.WEBHOOKS_MAY_BE_LOCAL:
        for address in found:
            if not ipaddress.ip_address(address.split("%")[0]).is_global:
                raise AddressRefused(f"{host} leads to an address that is not public")
    return sorted(found)[0]
