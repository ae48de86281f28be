"""What a client says, well or badly."""

import asyncio
from types import SimpleNamespace

from django.utils import timezone

from gateway import floods, session, websocket
from gateway.closings import Reason
from gateway.rollcall.frames import MAX_FRAME_BYTES
from gateway.rollcall.session import DELIVERED_AT_ONCE
from gateway.session import Session
from moderation.models import BlocklistEntry
from tests.factories import make_user
from users import messages
from users.models import Message


class TestBlocklist:
    def test_is_kept_by_its_owner(self, clients, ada):
        client = clients.enter(ada)
        added = client.call("blocklist.add", user_ids=["mallory", "eve", "mallory"])
        assert added["added"] == ["mallory", "eve"]
        assert client.call("blocklist.add", user_ids=["eve"])["added"] == []
        assert client.call("blocklist.contains", user_id="eve")["listed"] is True
        assert client.call("blocklist.remove", user_ids=["eve", "bob"])["removed"] == ["eve"]
        assert client.call("blocklist.contains", user_id="eve")["listed"] is False
        page = client.call("blocklist.get")
        assert (page["user_ids"], page["next"]) == (["mallory"], None)

    def test_is_read_in_pages(self, clients, ada):
        client = clients.enter(ada)
        for start in range(0, 120, 20):
            client.call("blocklist.add", user_ids=[f"u{start + n}" for n in range(20)])
        first = client.call("blocklist.get")
        second = client.call("blocklist.get", cursor=first["next"])
        assert second["next"] is None
        everybody = first["user_ids"] + second["user_ids"]
        assert len(everybody) == len(set(everybody)) == 120
        assert client.call("blocklist.get", cursor="x")["error"] == "bad_field"

    def test_takes_nothing_of_a_bad_call(self, clients, ada):
        client = clients.enter(ada)
        for user_ids, error in [
            (["ada"], "lists_oneself"),
            (["a b"], "invalid_user_id"),
            (["a" * 65], "invalid_user_id"),
            (["\ud800"], "bad_field"),
            (["\0"], "bad_field"),
            ([1], "bad_field"),
            ([], "bad_field"),
            (["x"] * 21, "bad_field"),
            ("eve", "bad_field"),
            (None, "bad_field"),
        ]:
            assert client.call("blocklist.add", user_ids=user_ids)["error"] == error, user_ids
        assert not BlocklistEntry.objects.exists()


class TestBadFrames:
    def test_are_named_and_the_connection_goes_on(self, clients, ada):
        for number, (frame, error) in enumerate(
            [
                (b"\x00\xff", "not_text"),
                ("", "not_json"),
                ("{'id': 1}", "not_json"),
                ('{"id": ' + "9" * 5_000 + "}", "not_json"),
                ("[" * 8_000 + "]" * 8_000, "too_deep"),
                ('{"id": ' + "[" * 900 + "]" * 900 + "}", "bad_field"),
                ('"text"', "not_an_object"),
                ('{"id": 1e999, "call": "blocklist.get"}', "bad_field"),
                ('{"id": NaN, "call": "blocklist.get"}', "bad_field"),
                ('{"id": 9223372036854775808, "call": "blocklist.get"}', "bad_field"),
                ('{"id": "\\ud800", "call": "blocklist.get"}', "bad_field"),
                ('{"id": {}, "call": "blocklist.get"}', "bad_field"),
                ('{"id": 1, "call": "blocklist.everything"}', "unknown_call"),
                ('{"id": 1, "call": ["blocklist.get"]}', "bad_field"),
                ('{"app_key": "x", "token": "y"}', "unknown_call"),
            ]
        ):
            if number % 5 == 0:
                client = clients.enter(ada)
            client.say(frame)
            answer = client.hear()
            assert (answer["ok"], answer["error"]) == (False, error), frame[:40]
            assert client.call("blocklist.get")["ok"]

    def test_too_large_a_frame_closes(self, clients, ada):
        client = clients.enter(ada)
        client.say('{"id": 1, "call": "' + "é" * (MAX_FRAME_BYTES // 2) + '"}')
        assert client.closed()[0] == 1009

    def test_ten_in_short_order_close(self, clients, ada):
        client = clients.enter(ada)
        for _ in range(11):
            client.say("no")
        assert client.closed() == (4031, "abuse")
        assert [each.get("error") for each in client.heard[:10]] == ["not_json"] * 10


def test_whoever_writes_too_fast_is_answered_later(clients, ada, monkeypatch):
    """All frames come in one moment: 60 are read at once, and each after that 1/20 s later."""
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(floods, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr(session, "asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": sleep}))
    client = clients.enter(ada)  # with the first frame
    for number in range(70):
        client.say({"id": number, "call": "blocklist.contains", "user_id": "bob"})
    assert [client.hear()["id"] for _ in range(70)] == list(range(70))
    assert pauses[:11] == [late / 20 for late in range(1, 12)]


def test_a_client_that_does_not_read_is_dropped_and_not_buffered_for(
    clients, gateway, ada, monkeypatch
):
    """Its answers fill the socket, then wait beside it, then it goes."""
    closes = []

    async def close(self, closing):
        closes.append((closing.reason, len(self._socket._unsent)))
        await real(self, closing)

    real = Session._close
    monkeypatch.setattr(Session, "_close", close)
    monkeypatch.setattr("gateway.session.FRAMES_AT_ONCE", 100_000)
    monkeypatch.setattr(websocket, "MAX_FRAMES", 20)
    BlocklistEntry.objects.bulk_create(
        BlocklistEntry(
            environment=ada.environment,
            owner_id="ada",
            listed_id=f"{number:03}" + "x" * 61,
            added_at=timezone.now(),
        )
        for number in range(100)
    )
    deaf = clients.deaf(ada)
    asked = 0
    while not closes and deaf.say({"id": asked, "call": "blocklist.get"}):
        asked += 1
    assert clients.eventually(
        lambda: gateway.sockets == 0,
    )
    assert closes == [(Reason.SLOW_READER, websocket.MAX_FRAMES + 1)]
    assert not len(gateway.gateway.registry)


def test_messages_wait_in_the_database_for_a_client_that_does_not_read(
    clients, gateway, ada, monkeypatch
):
    """And where it does not answer pings either, it is gone."""
    now = timezone.now()
    make_user(environment=ada.environment, user_id="bob")
    Message.objects.bulk_create(
        Message(
            environment=ada.environment,
            sender_id="bob",
            recipient_id="ada",
            client_id=str(number),
            body="👋" * 4_000,
            sent_at=now,
        )
        for number in range(1_000)
    )
    deaf = clients.deaf(ada)
    assert clients.eventually(lambda: len(gateway.gateway.registry) == 1)
    [session] = gateway.gateway.registry.all()
    [server] = gateway.protocols
    assert clients.eventually(lambda: server._is_stuck)
    assert session.last_sent < Message.objects.latest("pk").pk
    assert len(server._unsent) <= DELIVERED_AT_ONCE
    server._heard_at -= websocket.PING_AFTER
    for _ in range(2):  # asks, and hears nothing
        server._loop.call_soon_threadsafe(server._look)
    assert clients.eventually(lambda: gateway.sockets == 0)
    assert not len(gateway.gateway.registry)
    deaf.leave()
    waiting = messages.waiting_count(environment=ada.environment, user_id="ada", now=now)
    assert waiting == 1_000
