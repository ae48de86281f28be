"""MSync in SockJS, as older SDKs speak it."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from gateway.agora.frames import PutOut
from tests.factories import make_user
from tests.gateway.agora.clients import SockJSClient, read
from tests.gateway.live import doing
from tests.waiting import PATIENCE
from users import presence


@pytest.fixture
def enter(gateway):
    opened = []

    def enter(user):
        opened.append(SockJSClient(gateway.url))
        return opened[-1].enter(user)

    yield enter
    for each in opened:
        each.leave()


def test_what_the_sdk_asks_first_is_answered_for_pages_of_any_origin(gateway):
    opened = HTTPConnection(urlsplit(gateway.url).netloc, timeout=PATIENCE)
    opened.request("GET", "/gateway/agora/info?t=1", headers={"Origin": "https://app.example.com"})
    response = opened.getresponse()
    assert json.load(response)["websocket"] is True
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    opened.close()


def test_a_client_is_let_in_writes_reads_and_is_put_out(enter, ada):
    bob = make_user(environment=ada.environment, user_id="bob")
    first, second = enter(ada), enter(bob)
    assert first.send("bob", "Hi 👋").status.code == 0
    assert [each.text for each in second.receive()] == ["Hi 👋"]
    presence.kick(**doing(bob), user_id="bob")
    [*_, last] = second.closed()
    assert read(last.metas[0]).operation == PutOut.FORCED


@pytest.mark.parametrize("said", ["", "o", "[]", '["!"]', "[1]", '["", ""]', "[" * 9_000])
def test_what_is_not_sockjs_is_a_mistake_of_this_client_alone(enter, ada, said):
    client = enter(ada)
    for _ in range(11):
        client.say_bytes(said)
    [*_, last] = client.closed()
    assert read(last.metas[0]).operation == PutOut.FORCED
