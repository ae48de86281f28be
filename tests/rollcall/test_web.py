"""The web server, driven over sockets: what it reads, what it refuses, and whom it waits for."""

import errno
import http.client
import socket
import threading
from contextlib import ExitStack

import pytest
from django.conf import settings

from rollcall.web.server import Server
from tests.rollcall.echo import application
from tests.waiting import PATIENCE, eventually

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
HALF_A_BODY = HEAD + b"Content-Length: 10\r\n\r\nhalf"


@pytest.fixture
def serve():
    """Start a server with two threads in this process; return it."""
    with ExitStack() as stack:

        def _serve(application=application, **limits):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            limits = {"max_body": LIMIT, "max_connections": 100} | limits
            server = Server(application, listener, threads=2, **limits)
            server.start()
            stack.callback(lambda: server._is_ending or server.stop(within=1))
            server.port = listener.getsockname()[1]
            return server

        yield _serve


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def connect():
    with ExitStack() as stack:

        def _connect(server, data=b""):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            stack.enter_context(client)
            client.sendall(data)
            return client

        yield _connect


def answer(server, *, method="POST", headers=None, **body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request(method, "/", headers=headers or {}, **body)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def rest(client):
    """All that the server still sends, until it closes."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


def chunks(size):
    yield from [b"x" * 1000] * (size // 1000)
    yield b"x" * (size % 1000)


def make_late(server):
    for connection in server._connections.values():
        connection.due = 0.0
    server.end_late()


def test_bodies_arrive_whole(server):
    assert answer(server, method="GET") == (200, "0")
    assert answer(server, body=b"x" * 2500) == (200, "2500")
    assert answer(server, method="PUT", body=chunks(2500), encode_chunked=True) == (200, "2500")
    expecting = {"Expect": "100-continue"}
    assert answer(server, headers=expecting, body=b"x" * LIMIT) == (200, str(LIMIT))


def test_a_body_above_the_limit_is_refused_and_the_client_can_read_it(server):
    assert answer(server, body=chunks(LIMIT), encode_chunked=True) == (200, str(LIMIT))
    assert answer(server, body=chunks(LIMIT + 1), encode_chunked=True)[0] == 413
    assert answer(server, body=b"x" * 3 * LIMIT)[0] == 413


def test_half_sent_requests_hold_no_thread_and_are_ended_in_time(server, connect):
    halves = [connect(server, data) for data in [HALF_A_BODY] * 20 + [HEAD] * 20]
    assert eventually(lambda: sum(c.is_reading for c in server._connections.values()) == 40)
    assert answer(server, body=b"whole") == (200, "5")
    make_late(server)
    for half in halves:
        assert rest(half).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_dripping_body_gets_no_further_time(server, connect):
    client = connect(server, HALF_A_BODY)
    assert eventually(lambda: len(server._connections) == 1)
    [connection] = server._connections.values()
    assert eventually(lambda: connection.is_reading)
    due = connection.due
    client.sendall(b"x")
    assert eventually(lambda: connection.due > due)
    assert connection.due - due < 0.01


def test_a_client_that_does_not_read_holds_no_thread(serve, connect):
    def large(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * (900_000 if environ["PATH_INFO"] == "/large" else 1)]

    server = serve(large)
    ask = b"GET /large HTTP/1.1\r\n\r\n" * 20
    slow = [connect(server, ask + HEAD + b"Connection: close\r\n\r\n") for _ in range(4)]
    assert eventually(lambda: sum(bool(c.unsent) for c in server._connections.values()) == 4)
    assert answer(server) == (200, "x")
    assert len(rest(slow[0])) > 20 * 900_000
    make_late(server)
    assert len(rest(slow[1])) < 20 * 900_000


def test_a_long_answer_is_sent_in_parts_and_a_broken_one_is_noticed(serve, monkeypatch):
    monkeypatch.setattr("rollcall.web.server.LONG", 1000)

    def long(environ, start_response):
        start_response("200 OK", [])
        for _ in range(100):
            yield b"x" * 999
        if environ["PATH_INFO"] == "/broken":
            raise ValueError

    server = serve(long)
    assert answer(server, method="GET") == (200, "x" * 99_900)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", "/broken")
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()


def test_connections_are_kept_and_requests_may_follow_each_other_at_once(server, connect):
    client = connect(server, HEAD + b"\r\n" + HEAD + b"Content-Length: 2\r\n\r\nab" + HEAD)
    client.sendall(b"Connection: close\r\n\r\n")
    assert [each[-1:] for each in rest(client).split(b"HTTP/1.1 200 OK")[1:]] == [b"0", b"2", b"0"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (HEAD + b"A: " + b"x" * 40_000, b"431"),
    ],
)
def test_what_is_no_request_is_refused(server, connect, sent, status):
    assert rest(connect(server, sent)).startswith(b"HTTP/1.1 " + status)


def test_the_application_sees_a_request_as_wsgi_says(serve, connect):
    seen = {}

    def note(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return [b"body"]

    client = connect(serve(note), b"HEAD http://h/a%20b?c=%20d HTTP/1.0\r\nX_Real: forged\r\n")
    client.sendall(b"X-Real: 1\r\nX-Real: 2\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n")
    head = rest(client)
    assert b"Content-Length: 4\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert (seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/a b", "c=%20d")
    assert (seen["HTTP_X_REAL"], seen["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")
    assert seen["REMOTE_ADDR"] == "127.0.0.1"


def test_where_there_is_no_room_the_connection_goes_that_is_due_first(serve, connect):
    server = serve(max_connections=2)
    first = connect(server, HEAD)
    assert eventually(lambda: len(server._connections) == 1)
    connect(server, HEAD)
    assert eventually(lambda: len(server._connections) == 2)
    assert answer(server, body=b"whole") == (200, "5")
    assert rest(first) == b""


def test_stopping_answers_what_has_been_asked(serve, connect):
    asked, go_on = threading.Event(), threading.Event()

    def slow(environ, start_response):
        asked.set()
        go_on.wait(PATIENCE)
        start_response("200 OK", [])
        return [b"answered"]

    server = serve(slow)
    client = connect(server, HEAD + b"\r\n")
    assert asked.wait(PATIENCE)
    stopping = threading.Thread(target=server.stop, kwargs={"within": PATIENCE})
    stopping.start()
    assert eventually(lambda: server._is_ending)
    go_on.set()
    told = rest(client)
    stopping.join()
    assert told.endswith(b"answered")
    assert b"\r\nConnection: close\r\n" in told


class OutOfFiles:
    """A listening socket whose process may open no more files."""

    def __init__(self, listener):
        self._listener, self.asked = listener, 0

    def fileno(self):
        return self._listener.fileno()

    def accept(self):
        self.asked += 1
        raise OSError(errno.EMFILE, "Too many open files")


def test_without_files_it_answers_those_who_are_connected_and_lets_in_others_later(server, connect):
    idle, busy = connect(server), connect(server)
    assert eventually(lambda: len(server._connections) == 2)
    [_, second] = server._connections.values()
    second.due += PATIENCE  # so the first is the one to go
    listener, server._listener = server._listener, OutOfFiles(server._listener)
    later = connect(server, b"GET / HTTP/1.0\r\n\r\n")
    assert rest(idle) == b""
    busy.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert rest(busy).startswith(b"HTTP/1.1 200 OK")
    assert server._listener.asked <= 2  # once for each thread
    server._listener = listener
    server.end_late()
    assert rest(later).startswith(b"HTTP/1.1 200 OK")
