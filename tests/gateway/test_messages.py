"""Direct messages: none lost, none twice, none past a gate."""

from datetime import timedelta

import pytest
from django.utils import timezone

from applications.models import Environment
from moderation import gates, mutes, sending
from moderation.lists import blocklist
from moderation.models import Mute
from moderation.sending import Draft
from tests.factories import (
    HOUR,
    make_connection,
    make_deactivated,
    make_environment,
    make_gateway,
    make_switch,
    make_user,
    staff_actor,
)
from tests.races.racing import race
from users import messages
from users.models import Connection, Message


@pytest.fixture
def pair(gateway):
    environment = make_environment()
    return [make_user(environment=environment, user_id=name) for name in ("ada", "bob")]


def store(sender, recipient, body, *, at=None):
    """A message of a sender who is connected elsewhere."""
    [sent] = sending.send(
        [
            Draft(
                environment_id=sender.environment_id,
                connection_id=connection_of(sender).pk,
                sender_id=sender.user_id,
                recipient_id=recipient.user_id,
                client_id=body,
                body=body,
            )
        ],
        now=at or timezone.now(),
    )
    return Message.objects.get(pk=sent.message_id)


def connection_of(user):
    held = Connection.objects.filter(user_id=user.user_id, device="elsewhere").first()
    if held is None:
        own = {"environment": user.environment, "user_id": user.user_id, "device": "elsewhere"}
        held = make_connection(**own, gateway=make_gateway(lease_until=timezone.now() + HOUR))
    return held


def test_a_message_reaches_every_device_that_is_there(clients, gateway, pair):
    assert clients.eventually(lambda: gateway.is_listening)
    ada, bob = map(clients.enter, pair)
    tablet = clients.enter(pair[1])
    sent = ada.send("bob", "Hi\n👋")
    assert sent["ok"]
    for device in (bob, tablet):
        message = device.event()
        assert message["from"] == "ada"
        assert (message["message_id"], message["body"]) == (sent["message_id"], "Hi\n👋")
        acknowledged = device.call("message.acknowledge", message_ids=[sent["message_id"]])
        assert acknowledged["acknowledged"] == (1 if device is bob else 0)
    again = ada.send("bob", "next")
    assert [each.event()["message_id"] for each in (bob, tablet)] == [again["message_id"]] * 2


def test_one_that_is_acknowledged_elsewhere_first_still_reaches_who_was_connected(clients, pair):
    bob = clients.enter(pair[1])
    message = store(*pair, "quick", at=timezone.now())
    Message.objects.filter(pk=message.pk).update(delivered_at=timezone.now())
    assert bob.event()["message_id"] == message.pk


class TestOffline:
    def test_they_wait_in_order_and_come_once(self, clients, pair):
        ada, bob = pair
        wait = [store(ada, bob, f"{number}") for number in range(120)]
        client = clients.enter(bob)
        assert [client.event()["body"] for _ in wait] == [each.body for each in wait]
        client.call("message.acknowledge", message_ids=[each.pk for each in wait[:100]])
        client.leave()
        client = clients.enter(bob)
        assert [client.event()["body"] for _ in wait[100:]] == [each.body for each in wait[100:]]
        client.leave()
        last = store(ada, bob, "last")
        client = clients.enter(bob, after=wait[-1].pk)
        assert client.event()["message_id"] == last.pk
        assert (
            messages.waiting_count(environment=bob.environment, user_id="bob", now=timezone.now())
            == 1
        )

    def test_they_wait_seven_days(self, clients, pair):
        now = timezone.now()
        for body, age in (("old", messages.KEPT_FOR), ("young", timedelta(days=6.9))):
            store(*pair, body, at=now - age)
        assert clients.enter(pair[1]).event()["body"] == "young"

    def test_one_too_many_is_refused(self, clients, pair, monkeypatch):
        monkeypatch.setattr(messages, "MAX_WAITING", 3)
        ada = clients.enter(pair[0])
        answers = [ada.send("bob").get("error") for _ in range(4)]
        assert answers == [None, None, None, "mailbox_full"]


def test_who_comes_back_while_others_write_gets_each_message_once_and_in_order(
    clients, gateway, pair
):
    """The recipient comes and goes without acknowledging anything but by `after`."""
    ada, bob = pair
    for attempts in (gateway.gateway.connects_of_token, gateway.gateway.connects_of_user):
        attempts.burst = 1_000
    count = 100

    def write():
        return [store(ada, bob, f"{number}").pk for number in range(count)]

    def read():
        kept = []
        while len(kept) < count:
            client = clients.enter(bob, after=kept[-1] if kept else 0)
            kept += [client.event()["message_id"] for _ in range(min(10, count - len(kept)))]
            client.leave()
        return kept

    written, kept = race(write, read)
    assert kept == written


class TestSending:
    def test_again_is_one_message(self, clients, pair):
        ada = clients.enter(pair[0])
        first = ada.send("bob", client_id="1")
        ada.leave()
        ada = clients.enter(pair[0])
        assert ada.send("bob", client_id="1")["message_id"] == first["message_id"]
        assert Message.objects.count() == 1
        # Also when the gate has closed since: it did get through.
        block(pair[1], "ada")
        assert ada.send("bob", client_id="1")["ok"]
        assert ada.send("bob", client_id="2")["error"] == "blocked"

    def test_another_one_under_the_same_name_is_refused(self, clients, pair):
        ada = clients.enter(pair[0])
        ada.send("bob", "one", client_id="1")
        assert ada.send("bob", "two", client_id="1")["error"] == "client_id_taken"
        assert ada.send("ada", "one", client_id="1")["error"] == "client_id_taken"

    def test_needs_a_recipient_and_a_text(self, clients, pair):
        ada = clients.enter(pair[0])
        usual = {"to": "bob", "body": "Hi", "client_id": "1"}
        for fields, error in [
            ({"to": "nobody"}, "unknown_user"),
            ({"to": "a,b"}, "invalid_user_id"),
            ({"body": ""}, "invalid_message"),
            ({"body": "x" * 4_097}, "bad_field"),
            ({"body": "\0"}, "bad_field"),
            ({"body": "\ud83d"}, "bad_field"),
            ({"body": None}, "bad_field"),
            ({"client_id": ""}, "invalid_message"),
        ]:
            assert ada.call("message.send", **usual | fields)["error"] == error, fields
        assert not Message.objects.exists()


def block(owner, listed_id):
    blocklist.add(
        environment=owner.environment,
        owner_id=owner.user_id,
        listed_ids=[listed_id],
        by=staff_actor(),
        now=timezone.now(),
    )


class TestGates:
    def test_what_the_gate_says_is_what_the_sender_is_told(self, clients, pair, monkeypatch):
        """The console's "May A write to B?" and the gateway, one after another for each rule."""
        environment = pair[0].environment
        ada = clients.enter(pair[0])
        make_deactivated(environment=environment, user_id="gone")
        make_user(environment=environment, user_id="carl")
        store(pair[0], pair[1], "first")
        block(make_user(environment=environment, user_id="eve"), "ada")
        monkeypatch.setattr(messages, "MAX_WAITING", 1)
        for recipient_id, word in (
            ("carl", "open"),
            ("gone", "recipient_deactivated"),
            ("nobody", "unknown_user"),
            ("eve", "blocked"),
            ("bob", "mailbox_full"),
        ):
            verdict = gates.may_message(
                environment=environment,
                sender_id="ada",
                recipient_id=recipient_id,
                now=timezone.now(),
            )
            told = ada.send(recipient_id)
            assert verdict.rule == word
            assert (told["ok"], told.get("error", "open")) == (verdict.allowed, word)
            assert verdict.allowed or told["message"] == verdict.explanation

    def test_each_is_named(self, clients, pair):
        ada = clients.enter(pair[0])
        environment = pair[0].environment
        block(pair[1], "ada")
        assert ada.send("bob")["error"] == "blocked"
        make_switch(environment=environment, owner_id="bob")
        assert ada.send("bob")["error"] == "not_on_allowlist"
        Environment.objects.filter(pk=environment.pk).update(friends_only=True)
        assert ada.send("bob")["error"] == "not_friends"
        mutes.impose(
            environment=environment,
            user_ids=["ada"],
            channel=Mute.Channel.DIRECT,
            expires_at=None,
            by=staff_actor(),
            now=timezone.now(),
        )
        assert ada.send("bob")["error"] == "muted"
        assert not Message.objects.exists()

    def test_nothing_gets_through_once_a_block_is_done(self, clients, pair):
        """The sender writes without a pause while the recipient blocks them."""
        ada = clients.enter(pair[0])
        answers = []

        def write():
            for _ in range(50):
                answers.append(ada.send("bob"))

        def close():
            block(pair[1], "ada")
            return Message.objects.count()

        _, count = race(write, close)
        assert Message.objects.count() == count == sum(each["ok"] for each in answers)
