"""What goes past Django's handler leaves as it would leave through it."""

from io import BytesIO

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import RequestFactory

from api.entry import Entry
from tests.api.agora.calls import Agora
from tests.api.callers import RongCloud
from tests.factories import make_environment

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def environment(transactional_db):
    return make_environment()


def answers(environ, body=b""):
    """What the entry answers, and what Django's handler does."""

    def answer(application):
        told = []
        sent = application(
            {**environ, "wsgi.input": BytesIO(body)},
            lambda status, headers: told.append((status, sorted(headers))),
        )
        content = b"".join(sent)
        if hasattr(sent, "close"):
            sent.close()
        return told[0], content

    pages = get_wsgi_application()
    return answer(Entry(pages)), answer(pages)


def made(method, path, body=b"", *, headers=None, secure=False):
    headers = {"X-Request-ID": "sent", **(headers or {})}
    request = RequestFactory().generic(
        method, path, body, content_type=FORM, headers=headers, secure=secure
    )
    return answers(request.environ, body)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/user/checkOnline.json", b"userId=ann"),
        ("POST", "//user///block.json", b"userId=ann&minute=60"),
        ("POST", "/user/checkOnline.json", b""),
        ("POST", "/user/checkOnline.json", b"userId=a%20b"),
        ("POST", "/user/checkOnline.json", b"userId=" + b"a" * 200_000),
        ("HEAD", "/user/checkOnline.json", b""),
        ("GET", "/user/checkOnline.json", b""),
        ("POST", "/user/no\xff\n/such.json", b""),
        ("POST", "/group/create.json", b""),
        ("POST", "/v4/user/ban", b"{}"),
        ("GET", "/console/", b""),
        ("GET", "/healthz", b""),
    ],
)
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("https", [True, False])
def test_nobody_can_tell(environment, at_noon, settings, method, path, body, secure, https):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = https, 3600 * https
    signed = RongCloud(environment).headers
    by_entry, by_handler = made(method, path, body, headers=signed, secure=secure)

    assert by_entry == by_handler


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD", "DELETE"])
def test_nobody_can_tell_where_browsers_call(environment, at_noon, method):
    agora = Agora(environment)
    asked = {"Origin": "https://chat.example", "Access-Control-Request-Method": "GET"}
    if method != "OPTIONS":
        asked = {"Origin": "https://chat.example", "Authorization": f"Bearer {agora.token}"}
    by_entry, by_handler = made(method, f"{agora.base}/mutes", headers=asked)

    assert by_entry == by_handler
    assert ("Access-Control-Allow-Origin", "*") in by_entry[0][1]


def test_a_connection_that_was_lost_is_replaced_before_the_next_call(environment, at_noon):
    signed = RongCloud(environment).headers
    made("POST", "/user/checkOnline.json", b"userId=ann", headers=signed)
    connection.connection.close()
    by_entry, by_handler = made("POST", "/user/checkOnline.json", b"userId=ann", headers=signed)

    assert by_entry[0][0] == "200 OK"
    assert by_entry == by_handler
