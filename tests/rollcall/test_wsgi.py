"""A body that does not say its length reaches Django; driven against a live granian."""

import http.client
import socket

import pytest
from django.conf import settings

from rollcall.processes import Supervisor, module
from tests.waiting import PATIENCE

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    granian = f"granian --interface wsgi --port {number} --no-ws tests.rollcall.echo:application"
    with Supervisor() as supervisor:
        supervisor.start(module("web", granian), log=tmp_path_factory.mktemp("granian") / "log")
        assert supervisor.wait_for_page("127.0.0.1", number) == 200
        yield number


def answer(port, *, method="POST", headers=None, **body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, "/", headers=headers or {}, **body)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def chunks(size):
    yield from [b"x" * 1000] * (size // 1000)
    yield b"x" * (size % 1000)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_chunked_body_arrives_whole(port, method):
    assert answer(port, method=method, body=chunks(2500), encode_chunked=True) == (200, "2500")


def test_a_body_with_a_length_arrives_as_ever(port):
    assert answer(port, body=b"x" * 2500) == (200, "2500")


def test_no_body_is_an_empty_body(port):
    assert answer(port, method="GET") == (200, "0")


def test_a_chunked_body_may_be_as_large_as_any_other_and_no_larger(port):
    assert answer(port, body=chunks(LIMIT), encode_chunked=True) == (200, str(LIMIT))
    assert answer(port, body=chunks(LIMIT + 1), encode_chunked=True)[0] == 413
