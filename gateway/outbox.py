"""The queue of frames to one client."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

log = logging.getLogger(__name__)

Frame = str | bytes  # text or binary
Send = Callable[[dict[str, Any]], Awaitable[None]]

# How many frames may wait for a client that reads slowly.
MAX_FRAMES = 200


class Outbox:
    """Sends frames in order as fast as the client reads, in a task that runs only while there are
    frames to send.
    """

    __slots__ = ("_all_sent", "_send", "_sender", "_waiting")

    def __init__(self, send: Send):
        self._send = send
        self._waiting: list[Frame] = []
        self._sender: asyncio.Task[None] | None = None
        self._all_sent: asyncio.Event | None = None

    @property
    def overflows(self) -> bool:
        """Whether the client reads so slowly that it must be disconnected."""
        return len(self._waiting) > MAX_FRAMES

    def put(self, frame: Frame) -> None:
        self._waiting.append(frame)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_waiting())

    async def drained(self) -> None:
        """Wait until all frames are sent, or dropped because the client is gone."""
        while self._sender is not None:
            if self._all_sent is None:
                self._all_sent = asyncio.Event()
            await self._all_sent.wait()

    def drop(self) -> None:
        """Drop the frames that are not being sent yet."""
        del self._waiting[0 if self._sender is None else 1 :]

    def stop(self) -> None:
        if self._sender is not None:
            self._sender.cancel()

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                frame = self._waiting[0]
                kind = "text" if isinstance(frame, str) else "bytes"
                await self._send({"type": "websocket.send", kind: frame})
                del self._waiting[0]
        except OSError:
            log.debug("a client disconnected while frames were being sent")
            self._waiting.clear()
        finally:
            self._sender = None
            if self._all_sent is not None:
                self._all_sent.set()
                self._all_sent = None
