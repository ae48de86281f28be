"""The socket below the protocols: fragments, text that is none, requests that are no handshake."""

import http.client
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from gateway import websocket
from gateway.rollcall.frames import MAX_FRAME_BYTES
from tests.gateway.live import first_frame
from tests.waiting import PATIENCE


class TestFragments:
    def test_are_one_message(self, clients, ada):
        client = clients.open()
        text = str(first_frame(ada)).replace("'", '"')
        client._socket.send([text[:10], "", text[10:40], text[40:]])
        assert client.hear()["event"] == "connected"
        client.say('{"id": 1, "call": "blocklist.get"}')
        assert client.hear()["ok"]

    def test_together_are_bounded_as_a_message_is(self, clients):
        client = clients.open()
        with suppress(ConnectionClosed):
            client._socket.send(["x" * 1_000 for _ in range(MAX_FRAME_BYTES // 1_000 + 1)])
        assert client.closed()[0] == 1009


def test_a_text_that_is_not_utf_8_closes(clients, ada):
    client = clients.enter(ada)
    client._socket.send(b"\xff", text=True)
    assert client.closed()[0] == 1007


def test_a_client_that_says_nothing_is_asked_and_stays_if_it_answers(clients, gateway, ada):
    client = clients.enter(ada)
    [socket] = gateway.protocols
    for _ in range(3):
        socket._heard_at -= websocket.PING_AFTER
        socket._loop.call_soon_threadsafe(socket._look)
        assert clients.eventually(lambda: socket._heard_at > socket._loop.time() - 10)
        assert not socket._is_pinged
    assert client.call("blocklist.get")["ok"]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 426),
        ("GET", {"Upgrade": "websocket", "Connection": "Upgrade"}, 400),
        ("POST", {}, 404),
    ],
)
def test_what_is_no_handshake_is_answered_by_http(gateway, method, headers, status):
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    connection.request(method, "/gateway", headers=headers)
    assert connection.getresponse().status == status
    connection.close()
