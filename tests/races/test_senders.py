"""Webhook senders side by side, on a real PostgreSQL."""

from functools import partial

import pytest
from django.db import transaction

from applications import announcements, deliveries, webhooks
from applications.announcements import Event
from applications.models import AuditEvent, Delivery, Webhook
from tests.factories import NOON, make_delivery, make_environment, make_webhook, staff_actor
from tests.races.racing import only, race
from tests.receiver import receiving

pytestmark = pytest.mark.django_db(transaction=True)

AT = {"by": staff_actor("grace"), "now": NOON}


@pytest.fixture(autouse=True)
def _here_alone(local_webhooks, monkeypatch):
    monkeypatch.setattr(announcements.current_app, "send_task", lambda *_, **__: None)


def send_all(webhook_id):
    sent = 0
    while turn := deliveries.take_turn(webhook_id=webhook_id, now=NOON):
        deliveries.settle(turn, deliveries.send(turn, now=NOON), now=NOON)
        sent += len(turn.batch)
    return sent


def test_each_delivery_is_sent_by_one_of_many_senders():
    with receiving() as receiver:
        webhook = make_webhook(environment=make_environment(), url=receiver.url)
        wanted = {make_delivery(webhook=webhook).message_id for _ in range(60)}
        answers = only((), race(*[partial(send_all, webhook.pk)] * 6))
        while webhook.deliveries.waiting().exists():  # who came while another sent has left
            answers.append(send_all(webhook.pk))
    got = [request.headers["webhook-id"] for request in receiver.received]
    assert sum(answers) == len(got) == 60
    assert set(got) == wanted


def test_an_endpoint_that_answers_410_to_many_at_once_is_disabled_once():
    with receiving(status=410) as receiver:
        webhook = make_webhook(environment=make_environment(), url=receiver.url)
        for _ in range(30):
            make_delivery(webhook=webhook)
        disable = partial(webhooks.disable, webhook=webhook, reason="Paused", **AT)
        only((), race(*[partial(send_all, webhook.pk)] * 3, disable, disable))
    assert not webhook.deliveries.waiting().exists()
    assert AuditEvent.objects.filter(type="webhook.disabled").count() == 1


def test_a_change_that_is_announced_while_its_endpoint_is_removed_commits():
    for _ in range(5):
        environment = make_environment()
        webhook = make_webhook(environment=environment)

        @transaction.atomic
        def happen(environment_id=environment.pk):
            for _ in range(20):
                announcements.announce(
                    [Event("user.deleted", environment_id, {"user_id": "m"}, NOON)]
                )

        remove = partial(webhooks.remove, webhook=webhook, **AT)
        only((), race(happen, remove, happen))
        assert not Webhook.objects.exists()
        assert deliveries.endpoints_with_work(now=NOON) == []
        Delivery.objects.all().delete()
