"""Cheap chat clients: thousands of WebSockets in one thread, on plain sockets.

A protocol's client (`bench.gateway.clients`) is a subclass of `ChatClient`. It tells its `Owner`
what happens, who decides what to do.
"""

import select
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, Protocol

# Connections from one address to one port; the system has about 28,000 ports.
OF_ONE_ADDRESS = 20_000
# Clients whose handshake has not been answered. More would not fit into a server's queue, and try
# again only after a second.
KNOCKING = 1_000

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = bytes(4)  # changes nothing, so nothing has to be masked


class Account(NamedTuple):
    """What a client needs to connect."""

    user_id: str
    token: str
    app_key: str
    app_name: str  # ORG#APP


class Owner(Protocol):
    def entered(self, client: "ChatClient") -> None:
        """The client is admitted."""

    def stored(self, client: "ChatClient", problem: str) -> None:
        """The gateway has answered a message; `problem` is empty if it has stored it."""

    def received(self, client: "ChatClient", body: str) -> None: ...

    def closed(self, client: "ChatClient", at: float) -> None:
        """The gateway has closed the connection; `at` as of `time.perf_counter`."""


class ChatClient(ABC):
    """A WebSocket of a user. `number` chooses the address that it comes from."""

    def __init__(
        self, swarm: "Swarm", account: Account, owner: Owner, *, port: int, number: int
    ) -> None:
        self.account, self.number = account, number
        self._swarm, self._owner, self._port = swarm, owner, port
        self._buffer = b""
        self._shook_hands = False
        self.is_gone = False

    # --- What a protocol gives ---

    @abstractmethod
    def target(self) -> str:
        """Path and query of the handshake."""

    @abstractmethod
    def begin(self) -> None:
        """The handshake is done: log in."""

    @abstractmethod
    def hear(self, frame: bytes) -> None:
        """A frame of the gateway."""

    @abstractmethod
    def write(self, to: str, number: int, body: str) -> None:
        """Send a message; `number` is the client's own id of it, unique for the user."""

    # --- The WebSocket ---

    def connect(self) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.bind((f"127.0.0.{1 + self.number // OF_ONE_ADDRESS}", 0))
        self.socket.connect_ex(("127.0.0.1", self._port))

    def shake_hands(self) -> None:
        self.socket.send(
            f"GET {self.target()} HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )

    def read(self) -> None:
        """Raises `OSError` if the gateway hung up."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the gateway hung up")
        self._buffer += data
        if not self._shook_hands:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if head.startswith(b"HTTP/1.1 5"):
                raise ConnectionError("the gateway starts, stops or fails")
            if b" 101 " not in head:
                raise SystemExit(f"The gateway refuses: {head.decode()}")
            self._shook_hands, self._buffer = True, rest
            self._swarm.is_in()
            self.begin()
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode in (TEXT, BINARY):
                self.hear(payload)
            elif opcode == PING:
                self.say(payload, PONG)
            elif opcode == CLOSE:
                at = time.perf_counter()
                self.say(payload[:2], CLOSE)
                self._owner.closed(self, at)

    def _next_frame(self) -> tuple[int, bytes] | None:
        received = self._buffer
        if len(received) < 2:
            return None
        start, length = 2, received[1]
        if length == 126:
            if len(received) < 4:
                return None
            start, (length,) = 4, struct.unpack_from(">H", received, 2)
        elif length == 127:
            if len(received) < 10:
                return None
            start, (length,) = 10, struct.unpack_from(">Q", received, 2)
        if len(received) < start + length:
            return None
        self._buffer = received[start + length :]
        return received[0] & 15, received[start : start + length]

    def say(self, payload: bytes, opcode: int = BINARY) -> None:
        length = len(payload)
        if length < 126:
            head = bytes((0x80 | opcode, 0x80 | length))
        else:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
        self.socket.send(head + MASK + payload)

    @abstractmethod
    def resume(self, former: "ChatClient") -> None:
        """Go on where an earlier connection of the user ended."""

    def leave(self) -> None:
        self.is_gone = True
        if not self._shook_hands:
            self._swarm.is_in()
        self._swarm.forget(self)
        self.socket.close()


class Swarm:
    """The clients of this process, and other files that are waited for."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._clients: dict[int, ChatClient] = {}
        self._others: dict[int, Callable[[], None]] = {}
        self._outside: list[ChatClient] = []
        self._knocking = 0

    def connect(self, clients: "list[ChatClient]") -> None:
        """Connect them all, as fast as they are let in."""
        self._outside += reversed(clients)

    def watch(self, descriptor: int, readable: Callable[[], None]) -> None:
        self._others[descriptor] = readable
        self._poll.register(descriptor, select.EPOLLIN)

    def unwatch(self, descriptor: int) -> None:
        del self._others[descriptor]
        self._poll.unregister(descriptor)

    def run(
        self,
        until: Callable[[], bool],
        *,
        within: float,
        work: Callable[[], float] = lambda: 1.0,
    ) -> bool:
        """Let the clients talk until something holds, at most `within` seconds; return whether it
        does. `work` is called again and again, and returns the seconds until it has more to do.
        """
        ends = time.perf_counter() + within
        while not until():
            if time.perf_counter() > ends:
                return False
            while self._outside and self._knocking < KNOCKING:
                self._knock(self._outside.pop())
            for descriptor, event in self._poll.poll(max(0.0, min(0.5, work()))):
                if descriptor in self._others:
                    self._others[descriptor]()
                elif (client := self._clients.get(descriptor)) is not None:
                    self._serve(client, event)
        return True

    def is_in(self) -> None:
        self._knocking -= 1

    def forget(self, client: ChatClient) -> None:
        if self._clients.pop(client.socket.fileno(), None) is not None:
            self._poll.unregister(client.socket.fileno())

    def _knock(self, client: ChatClient) -> None:
        client.connect()
        self._knocking += 1
        self._clients[client.socket.fileno()] = client
        self._poll.register(client.socket.fileno(), select.EPOLLOUT)

    def _serve(self, client: ChatClient, event: int) -> None:
        try:
            if event & select.EPOLLOUT:
                client.shake_hands()
                self._poll.modify(client.socket.fileno(), select.EPOLLIN)
            else:
                client.read()
        except OSError:
            client.leave()
