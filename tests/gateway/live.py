"""Gateways that run, and clients of theirs."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from django.conf import settings
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from gateway.app import GatewayApplication
from gateway.server import OPTIONS
from tests.factories import staff_actor
from tests.waiting import PATIENCE, eventually
from users import tokens
from users.models import AppUser, GatewayProcess


class Client:
    """A chat client. Answers and events are kept apart, each in order."""

    def __init__(self, url: str, **options: Any):
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(f"{url}/gateway", compression=None, **options)
        )
        self._events: deque[dict] = deque()
        self._calls = 0

    def say(self, frame: Any) -> None:
        self._socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def hear(self) -> dict:
        """The next frame, whatever it is."""
        return json.loads(self._socket.recv(timeout=PATIENCE))

    def event(self) -> dict:
        """The next event."""
        return self._events.popleft() if self._events else self.hear()

    def call(self, name: str, **fields: Any) -> dict:
        """The answer to a call."""
        self._calls += 1
        self.say({"id": self._calls, "call": name, **fields})
        while "ok" not in (frame := self.hear()):
            self._events.append(frame)
        assert frame["id"] == self._calls
        return frame

    def send(self, to: str, body: str = "Hi", client_id: str = "") -> dict:
        self._calls += 1
        return self.call(
            "message.send", to=to, body=body, client_id=client_id or f"{id(self)}-{self._calls}"
        )

    def closed(self) -> tuple[int, str]:
        """Wait until the gateway closes; its code and reason."""
        try:
            while True:
                self._events.append(self.hear())
        except ConnectionClosed:
            assert self._socket.close_code is not None
            return self._socket.close_code, self._socket.close_reason or ""

    @property
    def heard(self) -> list[dict]:
        return list(self._events)

    def leave(self) -> None:
        self._open.close()


def first_frame(user: AppUser, *, token: str = "", app_key: str = "", **fields: Any) -> dict:
    return {
        "app_key": app_key or user.environment.app_key,
        "token": token or tokens.issue(user, now=timezone.now()),
        **fields,
    }


def doing(user: AppUser, **further: Any) -> dict[str, Any]:
    """What most verbs want to know: where, who, when."""
    who = {"environment": user.environment, "by": staff_actor(), "now": timezone.now()}
    return who | further


class Deaf:
    """A client that says what it likes and never reads."""

    def __init__(self, url: str, user: AppUser):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        address = urlsplit(url)
        self._socket.connect((address.hostname, address.port))
        self._socket.settimeout(PATIENCE)
        self._socket.sendall(
            b"GET /gateway HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert self._socket.recv(1_000).startswith(b"HTTP/1.1 101")
        self.say(first_frame(user))

    def say(self, frame: Any) -> bool:
        """Whether the gateway still took it."""
        text = Frame(Opcode.TEXT, json.dumps(frame).encode())
        try:
            self._socket.sendall(text.serialize(mask=True))
        except OSError:
            return False
        return True

    def leave(self) -> None:
        self._socket.close()


class Clients:
    """Opens clients, and closes them all at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: list[Client | Deaf] = []

    def open(self, **options: Any) -> Client:
        """Connected, and nothing said yet."""
        client = Client(options.pop("url", self.url), **options)
        self._opened.append(client)
        return client

    def attempt(self, user: AppUser, **fields: Any) -> Client:
        """With its first frame sent."""
        url = fields.pop("url", self.url)
        client = self.open(url=url)
        client.say(first_frame(user, **fields))
        return client

    def enter(self, user: AppUser, **fields: Any) -> Client:
        """Let in."""
        client = self.attempt(user, **fields)
        first = client.hear()
        assert first["event"] == "connected", first
        return client

    def deaf(self, user: AppUser) -> Deaf:
        client = Deaf(self.url, user)
        self._opened.append(client)
        return client

    def leave(self) -> None:
        for client in self._opened:
            client.leave()

    eventually = staticmethod(eventually)


class InThisProcess:
    """A gateway on a thread of the test, which may look into it."""

    def __init__(self) -> None:
        self.application = GatewayApplication()
        config = uvicorn.Config(self.application, host="127.0.0.1", port=0, **OPTIONS)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        assert eventually(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}"

    @property
    def gateway(self) -> Any:
        return self.application._gateway

    @property
    def is_listening(self) -> bool:
        return self.gateway._listener.is_listening

    @property
    def sockets(self) -> int:
        """How many are open, also of those that the application is done with."""
        return len(self.protocols)

    @property
    def protocols(self) -> list[Any]:
        return list(self._server.server_state.connections)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


class OfItsOwn:
    """A gateway process. `beforehand` is Python that it runs first."""

    def __init__(self, *, port: int, database_url: str, beforehand: str = "", **variables: str):
        known = set(GatewayProcess.objects.values_list("pk", flat=True))
        script = f"import runpy; {beforehand}\nrunpy.run_module('gateway', run_name='__main__')"
        environment = {"DATABASE_URL": database_url, "GATEWAY_PORT": str(port), **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=settings.BASE_DIR,
            env={**os.environ, "GATEWAY_CONNECT_BURST": "1000", **environment},
        )
        self.url = f"ws://127.0.0.1:{port}"
        self._known = known

    def wait(self) -> "OfItsOwn":
        new = GatewayProcess.objects.exclude(pk__in=self._known)
        name = f":{self.process.pid}:"
        assert eventually(lambda: new.filter(name__contains=name).exists())
        assert eventually(self._listens)
        return self

    def _listens(self) -> bool:
        try:
            Client(self.url).leave()
        except OSError:
            return False
        return True

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
