"""A client that speaks the protocol frame by frame, for what an SDK does not do."""

import struct
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway import protobuf
from gateway.rongcloud.frames import Type, messages
from tests.waiting import PATIENCE
from users import tokens
from users.models import AppUser


def request(kind: Type, topic: str, target: str, id: int, message: Any = b"") -> bytes:
    payload = message if isinstance(message, bytes) else message.SerializeToString()
    texts = b"".join(
        struct.pack(">H", len(text.encode())) + text.encode() for text in (topic, target)
    )
    return bytes((kind << 4,)) + texts + struct.pack(">H", id) + payload


def text(content: str, **fields: Any) -> Any:
    return messages.UpStreamMessage(classname="RC:TxtMsg", content=content, **fields)


class Client:
    def __init__(self, url: str, user: AppUser, *, token: str = "", **parameters: str):
        self.token = token or tokens.issue(user, now=timezone.now())
        asked = {
            "appId": user.environment.app_key,
            "token": self.token,
            "sdkVer": "5.38.0",
            "deviceId": "device",
            "apiVer": "browser|Chrome|156.0.0.0",
            "protocolVer": "3",
            **parameters,
        }
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(f"{url}/websocket?{urlencode(asked)}", compression=None)
        )
        self.user, self._id = user, 0

    def say(self, frame: bytes | str) -> None:
        self._socket.send(frame)

    def hear(self) -> bytes:
        frame = self._socket.recv(timeout=PATIENCE)
        assert isinstance(frame, bytes)
        return frame

    def enter(self) -> "Client":
        assert self.hear()[:3] == b"\x20\x00\x00"
        return self

    def ask(self, topic: str, message: Any = b"", target: str = "") -> tuple[int, bytes]:
        """The status of the answer to a query, and its payload."""
        self._id += 1
        self.say(request(Type.QUERY, topic, target or self.user.user_id, self._id, message))
        return self._answer(Type.QUERYACK)

    def send(self, to: str, message: Any, *, topic: str = "ppMsgP", id: int = 0) -> int:
        """The status of the answer to a message."""
        self._id += 1
        self.say(request(Type.PUBLISH, topic, to, id or self._id, message))
        return self._answer(Type.PUBACK)[0]

    def _answer(self, kind: Type) -> tuple[int, bytes]:
        while True:
            frame = self.hear()
            if frame[0] >> 4 == kind:
                return struct.unpack_from(">H", frame, 7)[0], frame[9:]

    def pull(self, since: int = 0) -> tuple[list[tuple[str, str]], int, bool]:
        """(sender, content) of the messages, the next cursor, and whether that was all."""
        status, payload = self.ask("pullMsg", messages.SyncRequestMsg(syncTime=since))
        assert status == 0
        answer = protobuf.read(messages.DownStreamMessages, payload)
        found = [(each.fromUserId, each.content) for each in answer.list]
        return found, answer.syncTime, answer.finished

    def closed(self) -> list[bytes]:
        """What is still said until the gateway closes the connection."""
        heard = []
        try:
            while True:
                heard.append(self.hear())
        except ConnectionClosed:
            return heard

    def leave(self) -> None:
        self._open.close()
