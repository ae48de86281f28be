"""A webhook receiver, as a customer would have one. It does not answer each first attempt well, so
that retries can be seen.
"""

import asyncio
import contextlib
import logging
from hashlib import blake2b

from django.conf import settings
from django.utils import timezone

from applications import deliveries, webhooks
from applications.audit_types import AuditType
from applications.models import AuditEvent, Delivery, Environment, Webhook
from rollcall.demo.life.cast import Cast
from rollcall.demo.life.database import in_thread
from rollcall.demo.office import ADMIN
from rollcall.demo.timeline import staff

PATH = "/acme-chat/rollcall-events"
EVENTS = ["user.online", "user.offline", "user.banned", "user.ban_ended", "quota.reached"]
WITHIN = 10.0  # seconds for a request
ONE_IN = 8  # of so many messages, the first attempt is answered with 503
REPLAYED_AFTER = 45.0  # seconds

log = logging.getLogger(__name__)


async def serve(cast: Cast) -> None:
    """Listen, and have the events sent here. Where webhooks may not call this machine, nothing."""
    if not settings.WEBHOOKS_MAY_BE_LOCAL:
        return
    refused: set[bytes] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError):
            async with asyncio.timeout(WITHIN):
                message = _message_id(await reader.readuntil(b"\r\n\r\n"))
                fails = _is_unlucky(message) and message not in refused
                if len(refused) > 10_000:
                    refused.clear()
                refused.add(message)
                status = b"503 Service Unavailable" if fails else b"204 No Content"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n")
                writer.write(b"Connection: close\r\n\r\n")
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, "127.0.0.1", settings.PORT + 1)
    except (OSError, OverflowError):  # somebody else listens there
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        webhook_id = await in_thread(_point_here, cast.production, port)
        if webhook_id is None:
            return
        log.info("events come to port %s", port)
        await asyncio.sleep(REPLAYED_AFTER)
        await in_thread(_replay, webhook_id)
        await server.serve_forever()


def _message_id(head: bytes) -> bytes:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"webhook-id":
            return value.strip()
    return b""


def _is_unlucky(message: bytes) -> bool:
    return blake2b(message, digest_size=1).digest()[0] % ONE_IN == 0


def _point_here(environment: Environment, port: int) -> int | None:
    """The key of the endpoint, added at the first start; None if somebody has removed it."""
    now, by, url = timezone.now(), staff(ADMIN), f"http://127.0.0.1:{port}{PATH}"
    webhook = Webhook.objects.filter(environment=environment, url__endswith=PATH).first()
    if webhook is not None:
        webhooks.change(
            webhook=webhook,
            url=url,
            events=webhook.events,
            format=webhook.format,
            by=by,
            now=now,
        )
        return webhook.pk
    if AuditEvent.objects.filter(environment=environment, type=AuditType.WEBHOOK_REMOVED).exists():
        return None
    added = webhooks.add(
        environment=environment,
        url=url,
        events=EVENTS,
        format=webhooks.STANDARD_FORMAT,
        by=by,
        now=now,
    )
    _fail_in_the_past(added.webhook)
    return added.webhook.pk


def _fail_in_the_past(webhook: Webhook) -> None:
    """A delivery that was given up while the receiver was down for three days. No verb makes a
    past, so this writes the row.
    """
    now = timezone.now()
    began = now - deliveries.MAX_AGE
    Delivery.objects.create(
        webhook=webhook,
        message_id=deliveries.new_message_id(),
        event="user.banned",
        data={**deliveries.EXAMPLES["user.banned"], "reason": "Selling followers"},
        occurred_at=began,
        queued_at=began,
        next_attempt_at=now,
        state=Delivery.State.FAILED,
        attempts=len(deliveries.DELAYS) + 1,
        status=503,
        finished_at=now,
    )


def _replay(webhook_id: int) -> None:
    """Staff send what was given up again, once."""
    lost = Delivery.objects.select_related("webhook__environment").filter(
        webhook=webhook_id, state=Delivery.State.FAILED
    )
    for delivery in lost.order_by("pk")[:1]:
        again = Delivery.objects.filter(message_id=delivery.message_id).exclude(pk=delivery.pk)
        if not again.exists():
            deliveries.replay(delivery=delivery, by=staff(ADMIN), now=timezone.now())
