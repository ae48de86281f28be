"""A client that speaks MSync."""

import itertools
import json
from base64 import b64decode, b64encode
from collections import deque
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway.agora import attributes
from gateway.agora.frames import BodyType, Command, Namespace, types
from tests.waiting import PATIENCE
from users import tokens
from users.models import AppUser

_ids = itertools.count(530_000_000_000)


def app_name(environment: Any) -> str:
    return f"{environment.application.org_name}#{environment.kind}"


class MSyncClient:
    """`login` sends the first frame; `enter` also does what an SDK does next."""

    PATH = "/gateway/agora"

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self._kept: deque[tuple[int, Any]] = deque()
        self._socket = self._open.enter_context(connect(url + self.PATH, compression=None))

    def say(self, command: int, payload: Any = None, **fields: Any) -> None:
        packed = payload.SerializeToString() if payload is not None else b""
        frame = types.MSync(version=0, command=command, payload=packed, **fields)
        self.say_bytes(frame.SerializeToString())

    def say_bytes(self, data: bytes | str) -> None:
        self._socket.send(data)

    def hear(self) -> tuple[int, Any]:
        """The next frame: its command and its payload."""
        return self._kept.popleft() if self._kept else self._read()

    def _read(self) -> tuple[int, Any]:
        frame = types.MSync.FromString(self._hear_bytes())
        payloads = {
            Command.PROVISION: types.Provision,
            Command.UNREAD: types.UnreadDown,
            Command.SYNC: types.SyncDown,
        }
        return frame.command, payloads[Command(frame.command)].FromString(frame.payload)

    def _hear_bytes(self) -> Any:
        return self._socket.recv(timeout=PATIENCE)

    def login(
        self, user: AppUser, *, token: str = "", name: str = "", app: str = "", resource: str = ""
    ) -> Any:
        """The status of the answer."""
        token = token or tokens.issue(user, now=timezone.now())
        app = app or app_name(user.environment)
        self.say(
            Command.PROVISION,
            types.Provision(resource=resource or "webim_web_1"),
            guid=types.Address(app_name=app, name=name or user.user_id, domain="easemob.com"),
            auth=f"$t${token}",
        )
        command, answer = self.hear()
        assert command == Command.PROVISION
        return answer.status

    def enter(self, user: AppUser, **options: Any) -> "MSyncClient":
        status = self.login(user, **options)
        assert status.code == 0, status
        self.ask_unread()
        return self

    def ask_unread(self) -> int:
        self.say(Command.UNREAD)
        command, answer = self.hear()
        assert command == Command.UNREAD
        return sum(each.count for each in answer.unread)

    def fetch(self, key: int = 0) -> None:
        """Ask for what waits; with `key`, the batch with this key has arrived."""
        asked = types.SyncUp(queue=types.Address(name="me"))
        if key:
            asked.key = key
        self.say(Command.SYNC, asked)

    def send(self, to: str, text: str = "Hi", **fields: Any) -> Any:
        """The answer to a message."""
        content = types.Content(type=0, text=text, **fields.pop("content", {}))
        return self._send(to, type=BodyType.CHAT, contents=[content], **fields)

    def say_read(self, to: str, message_id: int, type: int = BodyType.READ) -> Any:
        return self._send(to, type=type, about_id=message_id)

    def _send(self, to: str, *, id: int = 0, namespace: int = Namespace.CHAT, **body: Any) -> Any:
        """Claims to be somebody else, whom the server must not believe."""
        forged = {"sender": {"name": "mallory"}, "recipient": {"name": "mallory"}}
        meta = types.Meta(
            id=id or next(_ids),
            sender=types.Address(name="mallory"),
            recipient=types.Address(name=to),
            namespace=namespace,
            payload=types.MessageBody(**forged, **body).SerializeToString(),
        )
        self.say(Command.SYNC, types.SyncUp(meta=meta))
        while True:
            command, answer = self._read()
            if command == Command.SYNC and answer.meta_id == meta.id:
                return answer
            self._kept.append((command, answer))

    def batch(self) -> Any:
        """The next batch of messages and notices; end markers are skipped."""
        while True:
            command, answer = self.hear()
            if command == Command.SYNC and answer.metas:
                return answer

    def receive(self) -> list[SimpleNamespace]:
        """The contents of the next batch, which is acknowledged."""
        batch = self.batch()
        if batch.next_key:
            self.fetch(batch.next_key)
        return [read(meta) for meta in batch.metas]

    def closed(self) -> list[Any]:
        """Wait until the gateway closes; the payloads heard before."""
        heard = []
        try:
            while True:
                heard.append(self.hear()[1])
        except ConnectionClosed:
            return heard

    def leave(self) -> None:
        self._open.close()


class SockJSClient(MSyncClient):
    """An older one, which wraps its frames in SockJS."""

    PATH = "/gateway/agora/042/abcdefgh/websocket"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        assert self._socket.recv(timeout=PATIENCE) == "o"

    def say_bytes(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            data = json.dumps([b64encode(data).decode()])
        super().say_bytes(data)

    def _hear_bytes(self) -> Any:
        text = super()._hear_bytes()
        assert text[0] == "a"
        [packed] = json.loads(text[1:])
        return b64decode(packed)


def read(meta: Any) -> SimpleNamespace:
    """A meta with its payload."""
    read = SimpleNamespace(id=meta.id, sender=meta.sender.name, namespace=meta.namespace)
    match meta.namespace:
        case Namespace.CHAT:
            body = types.MessageBody.FromString(meta.payload)
            read.shown_sender, read.type = body.sender.name, body.type
            read.text = body.contents[0].text if body.contents else None
            read.about_id = body.about_id
            read.recipient, read.ext = body.recipient.name, attributes.read(body.ext)
        case Namespace.ROSTER:
            body = types.RosterBody.FromString(meta.payload)
            read.operation, read.text = body.operation, body.reason
        case Namespace.STATISTIC:
            read.operation = types.StatisticsBody.FromString(meta.payload).operation
        case _:
            read.text = meta.payload.decode()
    return read
