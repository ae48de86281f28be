"""Webhooks in RongCloud's and Nexconn's formats, received by a real server."""

import hashlib
import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from applications import app_secrets, deliveries, webhooks
from applications.models import Webhook
from applications.webhooks import InvalidEndpoint
from tests.factories import (
    HOUR,
    NOON,
    api_actor,
    make_connection,
    make_user,
    make_webhook,
    secret_of,
    staff_actor,
)
from tests.receiver import receiving
from users import deactivation, presence

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local_webhooks")]

VENDORS = ["rongcloud", "nexconn"]
KNOWN = ["user.online", "user.offline", "user.deactivated", "user.reactivated"]
BY_API = {"by": api_actor("rongcloud user/deactivate"), "now": NOON}
MILLISECONDS = 1_772_452_800_000  # NOON


@pytest.fixture
def receiver():
    with receiving(status=200) as receiver:
        yield receiver


@pytest.fixture
def subscribe(environment, receiver):
    """`subscribe(vendor)` sends that vendor's callbacks to the receiver."""

    def make(vendor, query=""):
        return make_webhook(
            environment=environment, url=receiver.url + query, format=vendor, events=KNOWN
        )

    return make


def received(receiver, now=NOON):
    """Sends all due deliveries and returns the received requests, in order."""
    for webhook in Webhook.objects.all():
        turn = deliveries.take_turn(webhook_id=webhook.pk, now=now)
        # One at a time, because a batch arrives in any order.
        for delivery in turn.batch:
            one = deliveries.Turn(webhook, [delivery], turn.until)
            deliveries.settle(one, deliveries.send(one, now=now), now=now)
    return receiver.received


def come_and_go(environment):
    make_user(environment=environment, user_id="Mia")
    connection = make_connection(
        environment=environment,
        user_id="Mia",
        device="phone",
        platform="iOS",
        address="203.0.113.7",
        connected_at=NOON,
    )
    presence.announce_online([connection], now=NOON)
    session = str(connection.pk)
    presence.disconnect(connection_ids=[connection.pk], now=NOON)
    return session


def deactivate_and_reactivate(environment):
    """Returns the ids of the two operations."""
    of_users = {"environment": environment, "user_ids": ["mia+1"], **BY_API}
    first = deactivation.deactivate(**of_users)
    deactivation.erase_pending(now=NOON)
    return first, deactivation.reactivate(**of_users)


class TestSignature:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_is_made_with_the_newest_live_secret(self, environment, receiver, subscribe, vendor):
        old = secret_of(environment)
        new = app_secrets.add(environment=environment, by=staff_actor(), now=NOON).text
        webhook = subscribe(vendor, "?env=dev&x=%20")
        deliveries.send_test(webhook=webhook, by=staff_actor(), now=NOON)
        [request] = received(receiver, NOON)
        query = dict(parse_qsl(urlsplit(request.path).query))
        text = query["nonce"] + query["timestamp"]
        assert query["signature"] == hashlib.sha1((new + text).encode()).hexdigest()
        assert query["signature"] != hashlib.sha1((old + text).encode()).hexdigest()
        assert query["timestamp"] == query["signTimestamp"] == str(MILLISECONDS)
        assert len(query["nonce"]) <= 18
        assert (query["env"], query["x"]) == ("dev", " ")
        assert "webhook-signature" not in request.headers

    def test_is_new_at_each_attempt(self, environment, receiver, subscribe):
        receiver.statuses = [500]
        webhook = subscribe("rongcloud")
        deliveries.send_test(webhook=webhook, by=staff_actor(), now=NOON)
        received(receiver, NOON)
        first, second = (urlsplit(each.path).query for each in received(receiver, NOON + HOUR))
        assert parse_qs(first)["nonce"] != parse_qs(second)["nonce"]
        assert parse_qs(second)["timestamp"] == [str(MILLISECONDS + 3_600_000)]


class TestRongCloud:
    def test_online_status(self, environment, receiver, subscribe):
        subscribe("rongcloud")
        session = come_and_go(environment)
        online, offline = received(receiver)
        assert online.headers["Content-Type"] == "application/json"
        assert json.loads(online.body) == [
            {
                "userid": "Mia",
                "status": "0",
                "os": "iOS",
                "time": MILLISECONDS,
                "clientIp": "203.0.113.7",
                "sessionId": session,
            }
        ]
        assert json.loads(offline.body)[0]["status"] == "1"

    def test_deactivation_and_reactivation(self, environment, receiver, subscribe):
        subscribe("rongcloud")
        operations = deactivate_and_reactivate(environment)
        requests = received(receiver)
        kinds = {request.headers["Content-Type"] for request in requests}
        assert kinds == {"application/x-www-form-urlencoded"}
        assert [dict(parse_qsl(request.body.decode())) for request in requests] == [
            {
                "userId": "mia+1",
                "operateId": operation,
                "type": type,
                "code": "0",
                "time": str(MILLISECONDS),
            }
            for operation, type in zip(operations, "01", strict=True)
        ]


class TestNexconn:
    def test_connection_status(self, environment, receiver, subscribe):
        webhook = subscribe("nexconn")
        session = come_and_go(environment)
        online, offline = received(receiver)
        first = webhook.deliveries.order_by("pk")[0]
        assert json.loads(online.body) == {
            "type": "user:connection_status",
            "id": first.message_id,
            "time": MILLISECONDS,
            "data": [
                {
                    "userId": "Mia",
                    "status": "0",
                    "os": "iOS",
                    "clientIp": "203.0.113.7",
                    "sessionId": session,
                    "time": MILLISECONDS,
                }
            ],
        }
        assert json.loads(offline.body)["data"][0]["status"] == "1"

    def test_leaves_out_empty_fields(self, environment, receiver, subscribe):
        subscribe("nexconn")
        connection = make_connection(environment=environment, user_id="mia")
        presence.disconnect(connection_ids=[connection.pk], now=NOON)
        [request] = received(receiver)
        [change] = json.loads(request.body)["data"]
        assert set(change) == {"userId", "status", "sessionId", "time"}

    def test_soft_deletion_and_restore(self, environment, receiver, subscribe):
        subscribe("nexconn")
        operations = deactivate_and_reactivate(environment)
        bodies = [json.loads(request.body) for request in received(receiver)]
        assert {each["type"] for each in bodies} == {"user:soft_delete_status"}
        assert [each["data"][0] for each in bodies] == [
            {
                "userId": "mia+1",
                "operationId": operation,
                "type": type,
                "code": "0",
                "time": MILLISECONDS,
            }
            for type, operation in enumerate(operations)
        ]


class TestFormat:
    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize("event", ["user.banned", "user.deleted", "quota.reached"])
    def test_refuses_events_that_the_vendor_does_not_have(self, environment, vendor, event):
        with pytest.raises(InvalidEndpoint) as refusal:
            make_webhook(environment=environment, format=vendor, events=[event])
        assert refusal.value.field == "events"

    @pytest.mark.parametrize("name", ["standard", "rongcloud", "nexconn"])
    def test_writes_each_of_its_events(self, environment, receiver, name):
        for event in webhooks.formats()[name].events:
            if event == "webhook.test":
                continue
            webhook = make_webhook(
                environment=environment, url=receiver.url, format=name, events=[event]
            )
            deliveries.send_test(webhook=webhook, by=staff_actor(), now=NOON)
            turn = deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
            assert [each.is_success for each in deliveries.send(turn, now=NOON)] == [True]
            webhooks.remove(webhook=webhook, by=staff_actor(), now=NOON)
