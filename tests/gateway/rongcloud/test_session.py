"""What a client may say, well or badly, whatever its SDK."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from applications import callers
from applications.models import Environment
from applications.unix_time import milliseconds
from gateway.rongcloud import frames
from gateway.rongcloud.frames import Type, messages
from moderation.models import BlocklistEntry
from tests.factories import make_environment, make_user
from tests.gateway.rongcloud.client import Client, request, text
from tests.gateway.test_kicks import CAUSES
from tests.gateway.test_messages import store
from users.models import Connection, Message


@pytest.fixture
def connect(gateway):
    """Opens connections, and closes them all at the end."""
    opened = []

    def client(user, **parameters):
        opened.append(Client(gateway.url, user, **parameters))
        return opened[-1]

    yield client
    for each in opened:
        each.leave()


@pytest.fixture
def bob(ada):
    return make_user(environment=ada.environment, user_id="bob")


class TestMessages:
    def test_are_given_once_and_are_acknowledged_by_the_next_question(self, connect, ada, bob):
        wait = [store(bob, ada, f"{number}") for number in range(120)]
        client = connect(ada).enter()
        given, since = [], 0
        for size in (50, 50, 20):
            found, since, finished = client.pull(since)
            assert (len(found), finished) == (size, False)
            given += found
            assert acknowledged() == len(given) - size
        assert given == [("bob", f'{{"content": "{each.body}"}}') for each in wait]
        assert client.pull(since) == ([], since, True)
        assert acknowledged() == 120
        # Another connection goes on from there.
        client.leave()
        store(bob, ada, "new")
        assert connect(ada).enter().pull(since)[0] == [("bob", '{"content": "new"}')]

    def test_come_to_each_device_that_is_there(self, connect, ada, bob):
        allow_several_pages(ada)
        phone, laptop = connect(ada).enter(), connect(ada).enter()
        for device in (phone, laptop):
            assert device.pull() == ([], 0, True)
        store(bob, ada, "Hi")
        for device in (phone, laptop):
            assert device.hear()[0] >> 4 == Type.PUBLISH
            found, since, _ = device.pull()
            assert found == [("bob", '{"content": "Hi"}')]
            assert device.pull(since)[0] == []

    def test_of_one_moment_all_come_to_sdk_2_which_asks_with_a_time(self, connect, ada, bob):
        wait = [store(bob, ada, f"{number}") for number in range(60)]
        Message.objects.update(sent_at=wait[0].sent_at)
        client = connect(ada, sdkVer="2.5.2").enter()
        first, since, _ = client.pull()
        second, again, _ = client.pull(since)
        assert (len(first), len(second), again) == (50, 10, since)
        assert since == milliseconds(wait[0].sent_at)
        assert client.pull(since)[2]
        assert acknowledged() == 60

    def test_sent_again_are_one_message(self, connect, ada, bob):
        client = connect(ada).enter()
        message = text('{"content": "Hi"}', clientUniqueId=2**62)
        assert [client.send("bob", message) for _ in range(2)] == [0, 0]
        assert Message.objects.count() == 1
        assert client.send("bob", text('{"content": "else"}', clientUniqueId=2**62)) == 26009
        # SDK 2 has no id for them: two are two.
        assert [client.send("bob", text('{"content": "Hi"}')) for _ in range(2)] == [0, 0]
        assert Message.objects.count() == 3

    def test_are_refused_unless_they_are_texts_to_a_person(self, connect, ada, bob):
        client = connect(ada).enter()
        image = messages.UpStreamMessage(classname="RC:ImgMsg", content="{}")
        assert client.send("bob", image) == 20606
        assert client.send("bob", text('{"content": "Hi"}'), topic="pgMsgP") == 20606
        assert client.send("a b", text('{"content": "Hi"}')) == 24366
        for content in ("", "[]", '"Hi"', "{}", '{"content": 1}', "[" * 9_000, "{"):
            assert client.send("bob", text(content)) == 25104, content[:9]
        assert client.send("bob", text('{"content": "\\ud83d"}')) == 20115
        assert client.send("bob", text('{"content": ""}')) == 20115
        assert not Message.objects.exists()


def allow_several_pages(user):
    settings = {"rongcloud": {"several_pages": True}}
    Environment.objects.filter(pk=user.environment_id).update(vendor_settings=settings)
    callers.clear()


def test_a_second_page_takes_the_place_of_the_first(connect, clients, ada):
    other = clients.enter(ada)  # another kind of client
    first = connect(ada).enter()
    second = connect(ada).enter()
    assert first.closed() == [b"\xe0\x00\x01"]
    assert second.pull()[2]
    assert other.call("blocklist.get")["ok"]


def acknowledged():
    return Message.objects.filter(delivered_at__isnull=False).count()


class TestBlocklist:
    def test_of_sdk_2_is_kept_by_its_owner(self, connect, ada):
        client = connect(ada, sdkVer="2.5.2").enter()
        bob = messages.UserId(userId="bob")
        assert client.ask("blackStat", bob, "bob")[0] == 101
        assert client.ask("addBlack", bob, "bob") == (0, b"")
        assert BlocklistEntry.objects.get().listed_id == "bob"
        assert client.ask("blackStat", bob, "bob")[0] == 0
        assert client.ask("getBlack", b"\x08\x01") == (0, b"\n\x03bob")
        assert client.ask("rmBlack", bob, "bob") == (0, b"")
        assert not BlocklistEntry.objects.exists()
        assert client.ask("addBlack", messages.UserId(userId="ada"))[0] == 24366


class TestBadInput:
    def test_ten_frames_that_are_none_close_the_connection(self, connect, ada):
        client = connect(ada).enter()
        for _ in range(11):
            client.say(b"\xff")
        assert client.closed() == []

    def test_a_frame_that_is_too_long_closes_the_connection_only(self, connect, ada, bob):
        other = connect(bob).enter()
        client = connect(ada).enter()
        long = request(Type.QUERY, "pullMsg", "ada", 1, bytes(frames.MAX_FRAME_BYTES))
        client.say(long)
        assert client.closed() == []
        assert other.pull()[2]

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        frame=st.binary(max_size=60)
        | st.builds(
            request,
            st.sampled_from([Type.PUBLISH, Type.QUERY]),
            st.sampled_from(["ppMsgP", "pullMsg", "updUserSub", "pullSubData", "addBlack", "x"]),
            st.sampled_from(["bob", "", "a" * 70, "\0"]),
            st.integers(0, 65_535),
            st.binary(max_size=40),
        )
    )
    def test_any_frame_leaves_the_gateway_and_the_others_as_they_were(
        self, gateway, connect, frame
    ):
        for limit in (gateway.gateway.connects, gateway.gateway.connects_of_user):
            limit.burst = 100_000
        user = make_user(environment=make_environment())
        client = connect(user).enter()
        client.say(frame)
        client.say(b"\xc0")
        while client.hear() != b"\xd0":
            pass
        client.leave()

    def test_whoever_has_no_app_key_in_the_url_is_told_so(self, connect, ada):
        assert connect(ada, appId="").closed() == [b"\x20\x00\x02"]
        assert connect(ada, appId="a\0").closed() == [b"\x20\x00\x02"]
        assert connect(ada, token="@https://here").closed() == [b"\x20\x00\x04"]

    def test_a_device_may_call_itself_what_it_likes(self, connect, ada):
        connect(ada, deviceId="\0" * 99, apiVer="x" * 99, protocolVer="4").hear()
        row = Connection.objects.get()
        assert (row.device, row.platform) == ("", "x" * 32)


def test_sdk_2_is_told_only_statuses_that_it_knows(connect, gateway):
    for limit in (gateway.gateway.connects_of_token, gateway.gateway.connects_of_user):
        limit.burst = 1_000
    for cause, refusal, ending in (
        ("ban", 9, 2),
        ("deactivate", 9, 2),
        ("sign out", 10, 1),
        ("kick", None, 1),
    ):
        user = make_user(environment=make_environment())
        there = connect(user, sdkVer="2.5.2").enter()
        CAUSES[cause][0](user)
        assert there.closed() == [bytes((0xE0, 0, ending))], cause
        if refusal is not None:
            token = there.token
            assert connect(user, sdkVer="2.5.2", token=token).closed() == [
                bytes((0x20, 0, refusal))
            ], cause


def test_a_client_that_never_asks_is_told_once_that_somebody_came(connect, gateway, ada, bob):
    client = connect(ada).enter()
    subscribe = messages.UpdateSubscriptions(
        subType=1, subUsers=[messages.SubUser(subUserId="bob")], opType=0, expiry=3600
    )
    assert client.ask("updUserSub", subscribe)[0] == 0
    for _ in range(3):
        connect(bob).enter()
    assert client.hear()[0] >> 4 == Type.PUBLISH
    client.say(b"\xc0")
    assert client.hear() == b"\xd0"


def test_the_token_in_the_url_gets_into_no_log(connect, ada, caplog):
    caplog.set_level("DEBUG")
    client = connect(ada).enter()
    with suppress(ConnectionClosed):  # at the tenth mistake or so
        client.say(b"\xff")
        for _ in range(11):
            client.say("no")
    client.closed()
    # This client's own library writes it down.
    named = {each.name for each in caplog.records if client.token in each.getMessage()}
    assert named == {"websockets.client"}
