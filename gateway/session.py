"""One connection, from its first frame to its close, whatever its protocol."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from django.db import Error
from django.utils import timezone

from applications import metrics
from gateway import counted
from gateway.admission import Refused, read_token, wrong_environment
from gateway.calls import Client
from gateway.closings import Closed, Closing, Farewell, Reason
from gateway.connecting import ConnectRequest, Handshake
from gateway.database import run_in_thread
from gateway.floods import Bucket
from gateway.inbound import Frame
from gateway.websocket import WebSocket
from moderation.connecting import Applicant
from users import presence
from users.presence import Kick

if TYPE_CHECKING:
    from gateway.process import Gateway

log = logging.getLogger(__name__)

CONNECT_WITHIN = 10  # seconds from the handshake to a complete `ConnectRequest`
CLOSE_WITHIN = 2  # seconds to send the close frame, before the socket is dropped
FRAMES_AT_ONCE, FRAMES_A_SECOND = 60, 20
MISTAKES_AT_ONCE, MISTAKES_A_SECOND = 10, 0.1


class Session(ABC):
    """A client's connection in this process. Each wire protocol is a subclass, in a folder of its
    own; `settings.GATEWAY_PROTOCOLS` says at which path it is spoken.

    This class keeps what is the same for all: time limits, floods, admission, kicks, and that each
    frame is answered before the next one is read. A protocol gives

    * `MAX_FRAME_BYTES`: the server closes the socket if a frame is larger;
    * `connect_request`: reads frames, or the handshake, until it knows who connects;
    * `say_connected`: what an admitted client is told first;
    * `answer`: does what a frame asks for, and puts the answer;
    * `deliver_waiting`: something waits for the user: sends it, or tells the client to ask for it;
    * `farewell`: how a `Closing` is said. A session that was never admitted `is_connected` False.

    It may also say what `notify` and `presence_changed` mean to it.

    It sends with `put`, calls `count_mistake` for each frame that breaks the protocol, and raises
    `Closed` to close. Its folder has `frames.py` (bytes or text and back, without I/O), `calls.py`
    (frames to the functions of `gateway.calls` and back), `session.py` (this class) and `words.py`
    (its codes for `Reason` and for refused calls).

    An idle connection uses one task; others run only while there is something to send.
    """

    MAX_FRAME_BYTES: ClassVar[int]

    __slots__ = (
        "_closing",
        "_delivering",
        "_frames",
        "_gateway",
        "_is_kicked",
        "_kicked_since",
        "_look_again",
        "_mistakes",
        "_socket",
        "_task",
        "client",
        "is_connected",
        "last_sent",
    )

    def __init__(self, gateway: "Gateway", socket: WebSocket):
        self._gateway, self._socket = gateway, socket
        self._delivering: asyncio.Task[None] | None = None
        self._look_again = False
        self._closing: Closing | None = None
        self._frames = Bucket(burst=FRAMES_AT_ONCE, rate=FRAMES_A_SECOND)
        self._mistakes = Bucket(burst=MISTAKES_AT_ONCE, rate=MISTAKES_A_SECOND)
        self._is_kicked = False
        self._kicked_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_connected = False
        self.client: Client | None = None
        # The key of the newest message that the client has been sent.
        self.last_sent = 0

    # --- What a protocol gives ---

    @abstractmethod
    async def connect_request(self, handshake: Handshake) -> ConnectRequest:
        """Called once. Reads frames with `next_frame` if the handshake does not say all. Raises
        `Refused` with `NO_CONNECT_FRAME` if they are wrong.
        """

    @abstractmethod
    def say_connected(self, client: Client) -> None: ...

    @abstractmethod
    async def answer(self, client: Client, frame: Frame) -> None:
        """Must not raise for anything that a client may send, except `Closed`. A database that does
        not answer (`django.db.Error`) is an error of this call only.
        """

    @abstractmethod
    async def deliver_waiting(self, client: Client) -> bool:
        """Send messages that wait for the user, and wait until the client has read them. Returns
        whether there may be more.
        """

    @abstractmethod
    def farewell(self, closing: Closing) -> Farewell: ...

    # --- What a protocol uses ---

    def put(self, frame: Frame) -> None:
        """Send a frame after those that wait already."""
        self._socket.send(frame)

    async def drained(self) -> None:
        """Wait until the client has read all frames, so that more wait elsewhere, not in memory."""
        await self._socket.drained()

    def count_mistake(self) -> None:
        """Raises `Closed` if the client makes too many mistakes."""
        if not self._mistakes.take():
            raise Closed(Closing(Reason.ABUSE))

    async def next_frame(self) -> Frame:
        # Reads a client that sends too fast more slowly; TCP then slows the client down.
        if (pause := self._frames.reserve()) > 0:
            await asyncio.sleep(pause)
        frame = await self._socket.receive()
        if frame is None:
            raise Closed(None)
        return frame

    # --- Start and end ---

    async def run(self, handshake: Handshake) -> None:
        """Admit the client, then answer its frames until one side closes the connection."""
        self._task = asyncio.current_task()
        closing: Closing | None = None
        try:
            client = await self._connect(handshake)
            while True:
                await self.answer(client, await self.next_frame())
                if self._socket.overflows:
                    raise Closed(Closing(Reason.SLOW_READER))
        except Refused as refusal:
            closing = refusal.closing
        except Closed as end:
            closing = end.closing
        except asyncio.CancelledError:
            if self._closing is None:
                raise
            closing = self._closing
        except Error:
            log.exception("the database does not answer")
            closing = Closing(Reason.UNAVAILABLE)
        except Exception:
            log.exception("a connection failed")
            closing = Closing(Reason.INTERNAL_ERROR)
        finally:
            self._stop()
        if closing is not None:
            await self._close(closing)

    def end(self, closing: Closing) -> None:
        """Close the connection. Others call this, on the event loop, while it is registered."""
        if self._closing is None and self._task is not None:
            self._closing = closing
            self._task.cancel()

    def kick(self, kick: Kick, *, since: float | None) -> None:
        """Close because the user may not be connected any more, or was kicked. Queued frames are
        dropped: a deactivated user must receive nothing more; others receive messages again when
        they reconnect. `since` is the Unix time of the commit, if it is known.
        """
        if not self._is_kicked:
            self._is_kicked, self._kicked_since = True, since
        self.end(Closing.of(kick))

    def _stop(self) -> None:
        if self.client is not None:
            self._gateway.registry.remove(self, self.client)
            counted.over(self)
            self._gateway.closed.put(self.client.connection_id)
        if self._delivering is not None:
            self._delivering.cancel()
        if self._is_kicked:
            self._socket.drop()

    async def _close(self, closing: Closing) -> None:
        farewell = self.farewell(closing)
        metrics.CLOSED.labels(closing.reason).inc()
        for frame in farewell.frames:
            self.put(frame)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self.drained()
        self._socket.close(farewell.code, farewell.reason)
        if self._is_kicked:
            counted.kicked(since=self._kicked_since)

    # --- Connecting ---

    async def _connect(self, handshake: Handshake) -> Client:
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                request = await self.connect_request(handshake)
        except TimeoutError:
            raise Refused(
                Reason.NO_CONNECT_FRAME, f"No frame within {CONNECT_WITHIN} seconds."
            ) from None
        now = timezone.now()
        claims = request.claims or read_token(request.token, now=now)
        if not self._gateway.connects_of_token.take(claims):
            raise Refused(Reason.TOO_MANY_ATTEMPTS, "The token is used too often.")
        environment = await self._gateway.environment(claims.environment_id)
        if environment is None:
            raise wrong_environment()
        kicks_received = self._gateway.kicks_received
        connection_id, connected_at = await self._gateway.admissions.admit(
            Applicant(
                claims=claims,
                app_key=request.app_key,
                device=request.device,
                platform=request.platform,
                address=handshake.address,
                after=request.after,
                seat=request.seat,
            )
        )
        # Set before anybody can call `deliver`, which sends messages after this one only.
        self.last_sent = request.after
        self.client = client = Client(
            environment,
            claims.user_id,
            handshake.address,
            connection_id,
            connected_at,
            self._gateway.mailbox,
        )
        self._gateway.registry.add(self, client)
        counted.opened(self)
        if not self._gateway.connects_of_user.take((client.environment.pk, client.user_id)):
            raise Refused(Reason.TOO_MANY_ATTEMPTS, "The user connects too often.")
        # A kick that arrived meanwhile may have been for this connection, not yet in the registry.
        if self._gateway.kicks_received != kicks_received:
            kicked = await run_in_thread(presence.kicked, connection_id=client.connection_id)
            if kicked is not None:
                raise Closed(Closing.of(Kick.of(kicked)))
        self.say_connected(client)
        self.is_connected = True
        self._gateway.opened.put(client.environment.pk, client.user_id)
        self.deliver()
        return client

    # --- Delivering ---

    def deliver(self) -> None:
        """Something waits for the user. Nothing is sent before `say_connected`."""
        self._look_again = True
        if self._delivering is None and self.client is not None and self.is_connected:
            self._delivering = asyncio.create_task(self._deliver(self.client))

    def notify(self) -> None:  # noqa: B027 - most protocols have nothing to do
        """A notice waits for the user (`users.notices`). Protocols without notices ignore it."""

    def presence_changed(self, about_ids: Collection[str]) -> None:  # noqa: B027 - likewise
        """The presence of these users changed, to whom the user subscribes."""

    async def _deliver(self, client: Client) -> None:
        try:
            while self._look_again:
                self._look_again = False
                self._look_again |= await self.deliver_waiting(client)
        except Error as error:
            log.warning("waiting messages cannot be read, the next poll retries: %s", error)
        finally:
            self._delivering = None
