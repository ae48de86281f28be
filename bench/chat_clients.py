"""Cheap chat clients: thousands of them in one event loop."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

# Connections from one address to one port; the system has about 28,000 ports.
OF_ONE_ADDRESS = 20_000

Heard = Callable[[dict[str, Any]], None]
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MASK = bytes(4)  # changes nothing, so nothing has to be masked


class ChatClient(asyncio.Protocol):
    """One WebSocket. `heard` is called with each event and answer."""

    def __init__(self, frame: dict[str, Any], heard: Heard = lambda _: None):
        self.closed_at = 0.0
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._frame, self._heard = frame, heard
        self._received = b""
        self._shook_hands = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.transport.write(
            f"GET {settings.GATEWAY_PATH} HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.entered, self.closed):
            if not future.done():
                future.set_exception(ConnectionError(f"the gateway hung up: {error}"))
                future.exception()  # no warning if nobody awaits it

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._shook_hands:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                raise ConnectionError(head.decode())
            self._shook_hands, self._received = True, rest
            self.say(self._frame)
        while (frame := self._next_frame()) is not None:
            self._take(*frame)

    def _next_frame(self) -> tuple[int, bytes] | None:
        received = self._received
        if len(received) < 2:
            return None
        start, length = 2, received[1]
        if length == 126:
            if len(received) < 4:
                return None
            start, (length,) = 4, struct.unpack_from(">H", received, 2)
        if len(received) < start + length:
            return None
        self._received = received[start + length :]
        return received[0] & 15, received[start : start + length]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._write(PONG, payload)
        elif opcode == CLOSE:
            self.closed_at = time.perf_counter()
            if not self.closed.done():
                self.closed.set_result(struct.unpack_from(">H", payload)[0])
            self._write(CLOSE, payload[:2])
            self.transport.close()
        elif opcode == TEXT:
            message = json.loads(payload)
            if message.get("event") == "connected":
                self.entered.set_result(None)
            elif message.get("event") == "closing" and not self.entered.done():
                self.entered.set_exception(ConnectionError(f"not admitted: {message}"))
            else:
                self._heard(message)

    def say(self, frame: dict[str, Any]) -> None:
        self._write(TEXT, json.dumps(frame).encode())

    def _write(self, opcode: int, payload: bytes) -> None:
        size = (
            bytes([0x80 | len(payload)])
            if len(payload) < 126
            else struct.pack(">BH", 0x80 | 126, len(payload))
        )
        self.transport.write(bytes([0x80 | opcode]) + size + MASK + payload)


async def enter(number: int, port: int, client: ChatClient) -> ChatClient:
    """Connect the client and wait until it is admitted."""
    loop = asyncio.get_running_loop()
    ours = socket.socket()
    ours.setblocking(False)
    ours.bind((f"127.0.0.{1 + number // OF_ONE_ADDRESS}", 0))
    await loop.sock_connect(ours, ("127.0.0.1", port))
    await loop.create_connection(lambda: client, sock=ours)
    await client.entered
    return client
