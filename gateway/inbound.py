"""Messages of a client that wait for the application."""

import asyncio
from collections import deque

from websockets.frames import Frame as Part
from websockets.frames import Opcode

Frame = str | bytes  # text or binary

# So many may wait before the socket is read no further.
UNREAD = 4


class Inbound:
    """Puts messages together, and gives them to the application in order. One that waits for a
    message is given it without a queue, and there is none while nothing waits.
    """

    __slots__ = ("_fragments", "_is_over", "_loop", "_opcode", "_waiter", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._is_over = False
        self._waiting: deque[Frame] | None = None
        self._waiter: asyncio.Future[Frame | None] | None = None
        # The message whose last fragment has not come.
        self._fragments: bytearray | None = None
        self._opcode = Opcode.TEXT

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    @property
    def is_full(self) -> bool:
        return self._waiting is not None and len(self._waiting) >= UNREAD

    def take(self, part: Part) -> None:
        """A frame of the wire. Raises `UnicodeDecodeError`."""
        if self._is_over:
            return
        if part.opcode is Opcode.TEXT or part.opcode is Opcode.BINARY:
            if part.fin:
                self._put(part.opcode, bytes(part.data))
            else:
                self._opcode, self._fragments = part.opcode, bytearray(part.data)
        elif part.opcode is Opcode.CONT and self._fragments is not None:
            # Joined at once: a million empty fragments need no memory.
            self._fragments += part.data
            if part.fin:
                message, self._fragments = bytes(self._fragments), None
                self._put(self._opcode, message)

    async def next(self) -> Frame | None:
        """The next message; None if there is none any more."""
        if self._waiting:
            frame = self._waiting.popleft()
            if not self._waiting:
                self._waiting = None
            return frame
        if self._is_over:
            return None
        self._waiter = self._loop.create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def end(self) -> None:
        """Nothing more comes; the application still gets what waits."""
        self._is_over = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def drop(self) -> None:
        self._waiting = None

    def _put(self, opcode: Opcode, data: bytes) -> None:
        frame = data.decode() if opcode is Opcode.TEXT else data
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(frame)
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(frame)
