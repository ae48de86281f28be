"""What is fuzzed: all that reads bytes of strangers. A further target (an import of CSV files, say)
is a function here, and a line in `TARGETS`.

A target is a context that gives Hypothesis's strategy for its input, and a check that raises if the
input breaks something. A refusal is no failure; an exception that nobody anticipated is.
"""

import asyncio
import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from hypothesis import strategies as st

from api.entry import Entry
from applications import outbound
from applications.keyset import BadCursor, Keyset
from gateway.admission import Refused
from gateway.agora import frames as agora
from gateway.calls import Client
from gateway.closings import Closed
from gateway.connecting import Handshake
from gateway.mailbox import Mailbox
from gateway.rongcloud.frames import Type, messages
from moderation.models import Ban
from tests.api.callers import signed_headers
from tests.factories import make_application, make_connection, make_environment, make_user
from tests.fuzz.inputs import JSON, damaged, noise_or
from tests.gateway.agora.clients import app_name
from tests.gateway.rongcloud.client import request, text
from users import tokens
from users.models import AppUser

Check = Callable[[Any], None]
Target = Callable[[], AbstractContextManager[tuple[st.SearchStrategy[Any], Check]]]

CALLS = (
    *("message.send", "message.ack", "blocklist.get", "blocklist.add", "blocklist.remove"),
    *("blocklist.contains", "profile.get", "profile.set", "no.such.call"),
)
MEMBERS = (
    "id",
    "call",
    "to",
    "body",
    "client_id",
    "user_ids",
    "user_id",
    "cursor",
    "after",
    "up_to",
)


def _call(members: dict[str, Any]) -> bytes:
    return json.dumps(members).encode("utf-8", "surrogatepass")


ROLLCALL = st.fixed_dictionaries(
    {"id": JSON, "call": st.sampled_from(CALLS) | JSON},
    optional={name: JSON | st.just(["mia"]) | st.just("mia") for name in MEMBERS[2:]},
).map(_call) | noise_or([b'{"id": 1, "call": "message.send", "to": "bob", "body": "Hi"}'])


def _msync(command: int, payload: Any) -> bytes:
    packed = payload.SerializeToString()
    frame = agora.types.MSync(version=0, command=command, payload=packed)
    data: bytes = frame.SerializeToString()
    return data


def _agora_samples() -> list[bytes]:
    types = agora.types
    body = types.MessageBody(type=agora.BodyType.CHAT, contents=[types.Content(type=0, text="Hi")])
    meta = types.Meta(
        id=7,
        recipient=types.Address(name="bob"),
        namespace=agora.Namespace.CHAT,
        payload=body.SerializeToString(),
    )
    return [
        _msync(agora.Command.SYNC, types.SyncUp(meta=meta)),
        _msync(agora.Command.SYNC, types.SyncUp(key=3)),
        _msync(agora.Command.UNREAD, types.SyncUp()),
        _msync(agora.Command.PROVISION, types.Provision(resource="web")),
    ]


def _login(user: AppUser) -> bytes:
    types, token = agora.types, tokens.issue(user, now=timezone.now())
    frame = types.MSync(
        version=0,
        command=agora.Command.PROVISION,
        guid=types.Address(app_name=app_name(user.environment), name=user.user_id),
        auth=f"$t${token}",
        payload=types.Provision(resource="web").SerializeToString(),
    )
    data: bytes = frame.SerializeToString()
    return data


RONGCLOUD = noise_or(
    [
        request(Type.PUBLISH, "ppMsgP", "bob", 1, text("Hi")),
        request(Type.QUERY, "pullMsg", "mia", 2, messages.SyncRequestMsg(syncTime=3)),
        request(Type.QUERY, "addBlack", "mia", 4),
        b"\xc0",
        b"\xe0",
    ]
)
FRAMES = {"/gateway": ROLLCALL, "/websocket": RONGCLOUD}


def _frames(path: str) -> Target:
    """Frames of a client that was let in. `Session.answer` raises nothing but `Closed`."""

    @contextmanager
    def target() -> Iterator[tuple[st.SearchStrategy[Any], Check]]:
        user = make_user(environment=make_environment())
        connection = make_connection(environment=user.environment, user_id=user.user_id)
        kind = import_string(settings.GATEWAY_PROTOCOLS[path])
        strategy = FRAMES[path] if path in FRAMES else noise_or(_agora_samples())

        async def send(event: dict[str, Any]) -> None:
            assert isinstance(event.get("text") or event.get("bytes"), str | bytes)

        def opened(first: str | bytes) -> Any:
            async def receive() -> dict[str, Any]:
                is_text = isinstance(first, str)
                return {"type": "websocket.receive", "text" if is_text else "bytes": first} | (
                    {} if is_text else {"text": None}
                )

            return kind(SimpleNamespace(mailbox=mailbox), receive, send)

        async def answer(frame: str | bytes) -> None:
            """As the first frame, and as one of a client that was let in."""
            with suppress(Refused, Closed):
                await opened(frame).connect_request(Handshake("", None))
            session = opened(firsts.get(path, ""))
            await session.connect_request(Handshake(urlencode({"appId": "k", "token": "t"}), None))
            session.client = Client(
                user.environment, user.user_id, None, connection.pk, timezone.now(), mailbox
            )
            session.say_connected(session.client)
            session.is_connected = True
            with suppress(Closed):
                await session.answer(session.client, frame)
            await session.drained()

        firsts = {"/gateway": '{"app_key": "k", "token": "t"}', "/gateway/agora": _login(user)}

        mailbox = Mailbox()
        with asyncio.Runner() as runner:

            def check(data: bytes) -> None:
                runner.run(answer(data))
                with suppress(UnicodeDecodeError):
                    runner.run(answer(data.decode()))

            yield strategy, check

    return target


HEADERS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=80)
PATHS = ["/user/getToken.json", "/user/block.json", "/v4/auth/access-token/issue", "/v4/user/ban"]


@contextmanager
def signatures() -> Iterator[tuple[st.SearchStrategy[Any], Check]]:
    """Calls with headers and bodies of all kinds. No answer is a crash, and all are JSON."""
    settings.API_RATE_LIMITS = False
    environment = make_environment()
    org = f"/{environment.application.org_name}/{environment.kind}"
    entry = Entry(lambda environ, start: [b"{}"])
    good = signed_headers(environment)
    call = st.fixed_dictionaries(
        {
            "path": st.sampled_from([*PATHS, f"{org}/users", f"{org}/token"]),
            "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
            "body": noise_or([b"userId=mia&name=Mia", b'{"userId": "mia"}', b'{"username": "m"}'])
            | JSON.map(_call),
            "type": st.sampled_from(
                ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]
            ),
            "headers": st.fixed_dictionaries(
                {},
                optional={
                    name: HEADERS | st.just(value)
                    for name, value in {
                        **good,
                        "Signature-Version": "2",
                        "Authorization": "Bearer YWMt",
                        "X-Request-ID": "r-1",
                    }.items()
                },
            ),
        }
    )

    def check(made: dict[str, Any]) -> None:
        said: dict[str, str] = {}
        environ = {
            "REQUEST_METHOD": made["method"],
            "PATH_INFO": made["path"],
            "QUERY_STRING": "",
            "CONTENT_TYPE": made["type"],
            "CONTENT_LENGTH": str(len(made["body"])),
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "192.0.2.7",
            "wsgi.input": io.BytesIO(made["body"]),
            "wsgi.url_scheme": "http",
        }
        for name, value in made["headers"].items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        body = b"".join(entry(environ, lambda status, headers: said.update(status=status)))
        assert not said["status"].startswith("500"), (said, body)
        if body:
            json.loads(body)

    yield call, check


ORDERS: list[tuple[Any, Keyset]] = [
    (AppUser, Keyset("-registered_at", "-id")),
    (AppUser, Keyset("user_id", "id")),
    (Ban, Keyset("ends_at", "id")),
]


@contextmanager
def cursors() -> Iterator[tuple[st.SearchStrategy[Any], Check]]:
    """Cursors in the URL of a list. A wrong one is `BadCursor`, never an error of the database."""
    environment = make_environment(application=make_application())
    users = [make_user(environment=environment) for _ in range(3)]
    valid = [order.cursor_after(users[1]).encode() for model, order in ORDERS if model is AppUser]
    values = st.lists(JSON | st.just({"t": "2026-03-02T12:00:00+00:00"}), max_size=4)
    made = st.tuples(st.sampled_from(["n", "p"]), values).map(
        lambda pair: _encoded([pair[0], *pair[1]])
    )
    texts = st.text(max_size=60) | damaged(valid).map(lambda data: data.decode("latin-1")) | made

    def check(cursor: str) -> None:
        for model, order in ORDERS:
            with suppress(BadCursor):
                order.page(model.objects.all(), cursor=cursor, size=2)

    yield texts, check


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(_call(value)).decode().rstrip("=")


@contextmanager
def webhook_answers() -> Iterator[tuple[st.SearchStrategy[Any], Check]]:
    """What a receiver answers. `outbound.post` gives a status, or says why there is none."""
    settings.WEBHOOKS_MAY_BE_LOCAL, outbound.DEADLINE = True, 2.0
    answers = noise_or(
        [
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.0 302 Found\r\nLocation: /\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
    )
    answer = b""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(100_000)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def check(data: bytes) -> None:
        nonlocal answer
        answer = data
        try:
            status = outbound.post(url, headers={}, body=b"{}")
        except outbound.NoAnswer:
            return
        assert 100 <= status <= 999

    try:
        yield answers, check
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


TARGETS: dict[str, Target] = {
    **{f"frames{path.replace('/', '-')}": _frames(path) for path in settings.GATEWAY_PROTOCOLS},
    "signatures": signatures,
    "cursors": cursors,
    "webhook-answers": webhook_answers,
}
