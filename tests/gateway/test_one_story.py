"""One story, told through each wire protocol by its own client, ends in the same state."""

import json

import pytest
from django.test import Client as RestClient
from django.utils import timezone

from applications.models import AuditEvent
from gateway.agora.frames import Command
from gateway.rongcloud.frames import messages
from moderation import bans
from moderation.models import BlocklistEntry
from tests.factories import make_environment, make_user
from tests.gateway import live
from tests.gateway.agora.clients import MSyncClient
from tests.gateway.live import doing
from tests.gateway.rongcloud.client import Client as RongCloudClient
from tests.gateway.rongcloud.client import text as rongcloud_text
from tests.waiting import eventually
from users import tokens
from users.models import Connection, Message


class Rollcall:
    """Rollcall's own protocol."""

    def __init__(self, url, user):
        self.user, self.client = user, live.Client(url)

    def enter(self):
        """Whether the client is let in."""
        self.client.say(live.first_frame(self.user))
        return self.client.hear()["event"] == "connected"

    def send(self, to, text):
        """Whether the message is taken."""
        return self.client.send(to, text)["ok"]

    def receive(self):
        message = self.client.event()
        self.client.call("message.acknowledge", message_ids=[message["message_id"]])
        return message["from"], message["body"]

    def block(self, user_id):
        self.client.call("blocklist.add", user_ids=[user_id])

    def unblock(self, user_id):
        self.client.call("blocklist.remove", user_ids=[user_id])

    def wait_until_closed(self):
        self.client.closed()

    def leave(self):
        self.client.leave()


class Agora(Rollcall):
    """Agora Chat's, which changes blocklists by REST."""

    def __init__(self, url, user):
        self.user, self.client = user, MSyncClient(url)

    def enter(self):
        if self.client.login(self.user).code:
            return False
        self.client.say(Command.UNREAD)
        _, answer = self.client.hear()
        if answer.unread:
            self.client.fetch()
        return True

    def send(self, to, text):
        return self.client.send(to, text).status.code == 0

    def receive(self):
        [message] = self.client.receive()
        return message.sender, message.text

    def block(self, user_id):
        self._change_blocklist("POST", user_id)

    def unblock(self, user_id):
        self._change_blocklist("DELETE", user_id)

    def _change_blocklist(self, method, user_id):
        application, kind = self.user.environment.application, self.user.environment.kind
        token = tokens.issue(self.user, now=timezone.now())
        response = RestClient().generic(
            method,
            f"/{application.org_name}/{kind}/sdk/user/{self.user.user_id}/blocks",
            f'{{"usernames": ["{user_id}"]}}',
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert response.status_code == 200, response.content


class RongCloud(Rollcall):
    """RongCloud's, in which a client is told that something waits and asks for it."""

    def __init__(self, url, user):
        self.user, self.client = user, RongCloudClient(url, user)
        self.since = 0

    def enter(self):
        return self.client.hear()[2] == 0

    def send(self, to, text):
        return self.client.send(to, rongcloud_text(json.dumps({"content": text}))) == 0

    def receive(self):
        found = []
        while not found:
            found, self.since, finished = self.client.pull(self.since)
            if not found:
                self.client.hear()
        while not finished:
            _, self.since, finished = self.client.pull(self.since)
        [(sender, content)] = found
        return sender, json.loads(content)["content"]

    def block(self, user_id):
        assert self.client.ask("addBlack", messages.UserId(userId=user_id))[0] == 0

    def unblock(self, user_id):
        assert self.client.ask("rmBlack", messages.UserId(userId=user_id))[0] == 0


def tell(protocol, url):
    """The story; what is in the database at its end."""
    environment = make_environment()
    users = {name: make_user(environment=environment, user_id=name) for name in ("ann", "bo")}
    ann, bo = (protocol(url, user) for user in users.values())
    assert ann.enter()
    assert bo.enter()
    assert ann.send("bo", "one")
    assert bo.receive() == ("ann", "one")
    bo.block("ann")
    assert not ann.send("bo", "refused")
    assert bo.send("ann", "you cannot answer")
    assert ann.receive() == ("bo", "you cannot answer")
    bo.unblock("ann")
    bo.leave()
    assert ann.send("bo", "kept")
    bo = protocol(url, users["bo"])
    assert bo.enter()
    assert bo.receive() == ("ann", "kept")
    waiting = Message.objects.filter(environment=environment, delivered_at=None)
    assert eventually(lambda: not waiting.exists())  # otherwise the ban may be sooner
    bans.impose(**doing(users["bo"]), user_ids=["bo"], expires_at=None, reason="spam")
    bo.wait_until_closed()
    assert ann.send("bo", "for later")
    assert not protocol(url, users["bo"]).enter()
    bans.lift(**doing(users["bo"]), user_ids=["bo"])
    bo = protocol(url, users["bo"])
    assert bo.enter()
    assert bo.receive() == ("ann", "for later")
    assert eventually(lambda: not waiting.exists())
    for each in (ann, bo):
        each.leave()
    assert eventually(lambda: not Connection.objects.exists())
    here = {"environment": environment}
    return {
        "messages": list(
            Message.objects.filter(**here)
            .order_by("pk")
            .values_list("sender_id", "recipient_id", "body")
        ),
        "blocklist": list(BlocklistEntry.objects.filter(**here)),
        "audit": list(
            AuditEvent.objects.filter(**here).order_by("pk").values_list("type", "subject")
        ),
    }


@pytest.mark.parametrize("protocol", [Agora, RongCloud])
def test_ends_in_the_same_state(protocol, gateway):
    assert tell(protocol, gateway.url) == tell(Rollcall, gateway.url)
