"""What apps add to their texts, and copies for the sender's other devices, in all protocols."""

import json
from collections import deque

import pytest

from gateway.agora import attributes
from gateway.protobuf import read
from gateway.rongcloud.frames import messages
from tests.factories import make_environment, make_user
from tests.gateway.agora.clients import MSyncClient
from tests.gateway.live import Client, first_frame
from tests.gateway.rongcloud.client import Client as RongCloudClient
from tests.gateway.rongcloud.client import text
from tests.waiting import eventually
from users import extras
from users.extras import Extra
from users.models import Message

ADDED = {"extra": '{"a":1}', "user": {"id": "ann"}, "n": -(2**40), "d": 0.5, "y": True, "z": None}


class Rollcall:
    def __init__(self, url, user):
        self.client = Client(url)
        self.client.say(first_frame(user))
        assert self.client.hear()["event"] == "connected"

    def send(self, body, extra, **more):
        """Whether it is taken."""
        call = {"to": "bo", "client_id": body, "body": body, "extra": extra, **more}
        return self.client.call("message.send", **call)["ok"]

    def receive(self):
        """(sender, recipient, body, what was added)"""
        event = self.client.event()
        self.client.call("message.acknowledge", message_ids=[event["message_id"]])
        return event["from"], event["to"], event["body"], event.get("extra", {})


class Agora(Rollcall):
    def __init__(self, url, user):
        self.client, self.waiting = MSyncClient(url).enter(user), deque()

    def send(self, body, extra):
        return self.client.send("bo", body, ext=attributes.write(extra)).status.code == 0

    def receive(self):
        if not self.waiting:
            self.waiting.extend(self.client.receive())
        message = self.waiting.popleft()
        return message.shown_sender, message.recipient, message.text, message.ext


class RongCloud(Rollcall):
    def __init__(self, url, user):
        self.client = RongCloudClient(url, user).enter()
        self.user_id, self.since, self.waiting = user.user_id, 0, deque()
        assert self.client.pull()[2]

    def send(self, body, extra):
        return self.client.send("bo", text(json.dumps({"content": body, **extra}))) == 0

    def receive(self):
        message = self.receive_message()
        content = json.loads(message.content)
        sides = [message.fromUserId, self.user_id]
        sender, recipient = sides if message.direction == 2 else sides[::-1]
        return sender, recipient, content.pop("content"), content

    def receive_message(self):
        """The next one. Every question acknowledges what came before it."""
        while not self.waiting:
            _, payload = self.client.ask("pullMsg", messages.SyncRequestMsg(syncTime=self.since))
            answer = read(messages.DownStreamMessages, payload)
            self.since = answer.syncTime
            self.waiting.extend(answer.list)
            if answer.finished:
                self.client.hear()
        return self.waiting.popleft()


KINDS = [Rollcall, Agora, RongCloud]


@pytest.fixture
def ann(gateway):
    environment = make_environment()
    make_user(environment=environment, user_id="bo")
    return make_user(environment=environment, user_id="ann")


@pytest.fixture
def enter(gateway, ann):
    """Enters clients, and lets them leave at the end."""
    entered = []

    def enter(kind, user_id="ann"):
        user = ann.environment.users.get(user_id=user_id)
        entered.append(kind(gateway.url, user))
        return entered[-1]

    yield enter
    for each in entered:
        each.client.leave()


def test_a_text_and_what_was_added_reach_all_devices_of_both_sides_once(enter, ann):
    """And the device that wrote it gets no copy."""
    of_ann = [enter(kind) for kind in KINDS]
    of_bo = [enter(kind, "bo") for kind in KINDS]
    for number, writer in enumerate(of_ann):
        assert writer.send(f"{number}", ADDED)
    for device in of_bo:
        for number in range(3):
            assert device.receive() == ("ann", "bo", f"{number}", ADDED), device
    for own, device in enumerate(of_ann):
        for number in {0, 1, 2} - {own}:
            assert device.receive() == ("ann", "bo", f"{number}", ADDED), device
    assert eventually(lambda: not Message.objects.filter(delivered_at=None).exists())
    # A device that connects later gets none of them.
    later = enter(Rollcall)
    later.client.call("message.send", to="ann", client_id="to myself", body="to myself")
    assert later.receive()[2] == "to myself"


def test_what_one_sdk_alone_shows_is_kept_for_it(enter, ann):
    """Settings of the push, of expansion, and that a message is silent."""
    sender, receiver, other = enter(RongCloud), enter(RongCloud, "bo"), enter(Agora, "bo")
    push = messages.PushExt(title="Hi", pushConfigs="[]", templateId="t")
    settings = {"pushText": "ann wrote", "configFlag": 4 | 2, "pushExt": push}
    settings |= {"sessionId": 3 | 32 | 64, "extraContent": '{"k": {"v": "x"}}'}
    sent = text('{"content": "Hi"}', **settings)
    assert sender.client.send("bo", sent) == 0
    received = receiver.receive_message()
    assert received.status == 48 | 512 | 1024
    assert (received.pushContent, received.configFlag) == ("ann wrote", 4)
    assert received.pushExt == push
    assert received.extraContent == '{"k": {"v": "x"}}'
    assert other.receive() == ("ann", "bo", "Hi", {})


@pytest.mark.parametrize("kind", KINDS)
def test_too_much_and_what_not_every_client_could_read_are_refused(enter, kind):
    sender = enter(kind)
    deep = {}
    for _ in range(extras.MAX_DEPTH):
        deep = {"deeper": deep}
    for added in ({"long": "x" * extras.MAX_BYTES}, {"deep": deep}):
        assert not sender.send("Hi", added)
    assert not Message.objects.exists()


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "\ud800", [[]] * 9_000])
def test_only_json_that_every_client_can_read_is_packed(value):
    with pytest.raises((extras.InvalidExtra, extras.ExtraTooLong)):
        extras.pack(Extra({"value": value}))


def test_a_copy_comes_without_redis_too(enter, gateway, ann, monkeypatch):
    """The poll finds it."""
    monkeypatch.setattr("users.bus.publish", lambda *_, **__: None)
    phone, laptop = enter(Rollcall), enter(Rollcall)
    assert phone.send("Hi", {})
    monkeypatch.setattr("gateway.process.RENEW_EVERY", 0)
    assert laptop.receive() == ("ann", "bo", "Hi", {})
