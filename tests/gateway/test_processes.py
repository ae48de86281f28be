"""Several gateway processes on PostgreSQL and Redis, and what happens when one of them dies."""

import itertools
import signal
import threading

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from tests.factories import make_environment, make_user
from tests.gateway.live import Clients
from tests.gateway.test_kicks import CAUSES
from tests.waiting import PATIENCE
from users import gateway_processes, presence
from users.models import Connection, GatewayProcess


@pytest.fixture
def two(start_process):
    both = [start_process() for _ in range(2)]
    return [each.wait() for each in both]


@pytest.fixture
def clients(two):
    opened = Clients(two[0].url)
    yield opened
    opened.leave()


def test_users_meet_across_processes_and_a_process_ends_in_order(clients, two):
    here, there = (each.url for each in two)
    environment = make_environment()
    users = [make_user(environment=environment, user_id=name) for name in ("ada", "bob")]
    ada, bob, phone = (
        clients.enter(users[0], url=here),
        clients.enter(users[1], url=there),
        clients.enter(users[1], url=here),
    )
    sent = ada.send("bob")
    assert bob.event()["message_id"] == phone.event()["message_id"] == sent["message_id"]
    CAUSES["ban"][0](users[1])
    assert bob.closed() == phone.closed() == (4010, "banned")

    two[0].process.send_signal(signal.SIGTERM)
    assert ada.closed()[0] == 1012
    assert two[0].process.wait(PATIENCE) in (0, -signal.SIGTERM)
    assert not Connection.objects.exists()
    assert GatewayProcess.objects.count() == 1
    clients.enter(users[0], url=there)


class Correspondent(threading.Thread):
    """Comes back at the other process when its own is gone."""

    def __init__(self, clients, user, urls):
        super().__init__(daemon=True)
        self.clients, self.user, self.urls = clients, user, itertools.cycle(urls)
        self.after, self.comebacks = 0, -1
        self.done = threading.Event()

    def come_back(self):
        self.comebacks += 1
        while True:
            try:
                return self.clients.enter(self.user, url=next(self.urls), after=self.after)
            except (OSError, ConnectionClosed):
                continue


class Sender(Correspondent):
    def __init__(self, *about, count):
        super().__init__(*about)
        self.count, self.acknowledged = count, []

    def run(self):
        client = self.come_back()
        while len(self.acknowledged) < self.count:
            body = f"{self.user.user_id} {len(self.acknowledged)}"
            try:
                answer = client.send("bob", body, client_id=body)
            except (OSError, ConnectionClosed):
                client = self.come_back()  # and send the same again
                continue
            if answer["ok"]:
                self.acknowledged.append((answer["message_id"], body))
        self.done.set()


class Recipient(Correspondent):
    def __init__(self, *about, count):
        super().__init__(*about)
        self.count, self.kept = count, []

    def run(self):
        client = self.come_back()
        while len(self.kept) < self.count:
            try:
                event = client.event()
                self.kept.append((event["message_id"], event["body"]))
                self.after = event["message_id"]
                client.call("message.acknowledge", message_ids=[self.after])
            except (OSError, ConnectionClosed):
                client = self.come_back()
        self.done.set()


def test_a_process_killed_in_traffic_loses_nothing_and_doubles_nothing(clients, two):
    """Counted on both sides, in order, and its users are offline when its lease is over."""
    urls = [each.url for each in two]
    environment = make_environment()
    bob = make_user(environment=environment, user_id="bob")
    idle = make_user(environment=environment, user_id="idle")
    clients.enter(idle, url=urls[0])
    recipient = Recipient(clients, bob, urls, count=150)
    senders = [
        Sender(clients, make_user(environment=environment, user_id=name), turn, count=50)
        for name, turn in (("a", urls), ("b", urls), ("c", urls[::-1]))
    ]
    everybody = [recipient, *senders]
    for each in everybody:
        each.start()
    assert clients.eventually(lambda: len(recipient.kept) > 20)
    two[0].process.kill()
    assert all(each.done.wait(PATIENCE) for each in everybody)

    acknowledged = [each for sender in senders for each in sender.acknowledged]
    assert sorted(acknowledged) == recipient.kept
    assert {body for _, body in acknowledged} == {
        f"{name} {number}" for name in "abc" for number in range(50)
    }
    assert [each.comebacks for each in everybody] == [1, 1, 1, 0]

    now = timezone.now()
    online = {"environment": environment, "user_ids": ["idle", "bob"]}
    assert presence.online(**online, now=now) == {"idle", "bob"}
    dead = GatewayProcess.objects.filter(name__contains=f":{two[0].process.pid}:")
    assert dead.get().lease_until <= now + gateway_processes.LEASE
    dead.update(lease_until=now)
    assert presence.online(**online, now=now) == {"bob"}
    gateway_processes.remove_dead(now=now)
    assert not Connection.objects.filter(user_id="idle").exists()
