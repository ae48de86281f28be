"""A connection that speaks the protocol of RongCloud's web SDKs."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from django.db import Error
from django.utils import timezone

from applications.unix_time import milliseconds
from gateway.admission import Refused
from gateway.calls import Client, ConnectionClosing, receipt, send
from gateway.calls import watched as watched_by
from gateway.closings import Closing, Farewell, Reason
from gateway.connecting import ConnectRequest, Handshake
from gateway.database import run_in_thread
from gateway.inbound import Frame
from gateway.protobuf import Malformed
from gateway.rongcloud import calls, frames, statuses, words
from gateway.rongcloud.calls import Answer, ReadReceipt
from gateway.rongcloud.frames import BadFrame, Received, Type
from gateway.rongcloud.inbox import Inbox
from gateway.session import Session
from gateway.websocket import WebSocket
from users import identity
from users.models import NoticeKind

if TYPE_CHECKING:
    from gateway.process import Gateway

log = logging.getLogger(__name__)

MAX_PARAMETERS = 20
# Topics of messages to which the SDK expects no answer, such as "is typing".
UNANSWERED = frozenset({"ppMsgS", "pgMsgS", "chatMsgS", "prMsgS"})


class RongCloudSession(Session):
    MAX_FRAME_BYTES = frames.MAX_FRAME_BYTES

    __slots__ = ("_changed", "_inbox", "_is_sdk_2", "_with_mask")

    def __init__(self, gateway: "Gateway", socket: WebSocket):
        super().__init__(gateway, socket)
        self._is_sdk_2 = self._with_mask = False
        # Who came or went since the client last asked.
        self._changed: frozenset[str] = frozenset()

    async def connect_request(self, handshake: Handshake) -> ConnectRequest:
        """The handshake's query says it all. The token ends before the first `@`: the address of
        navigation may follow.
        """
        try:
            query = dict(parse_qsl(handshake.query, errors="strict", max_num_fields=MAX_PARAMETERS))
        except ValueError:
            query = {}
        self._is_sdk_2 = query.get("sdkVer", "").startswith("2.")
        self._inbox = Inbox(asks_with_times=self._is_sdk_2)
        self._with_mask = query.get("protocolVer") == "4"
        app_key = query.get("appId", "")
        if not app_key or not identity.is_text(app_key, 64):
            raise Refused(Reason.NO_CONNECT_FRAME, "The handshake has no app key.")
        return ConnectRequest(
            app_key=app_key,
            token=query.get("token", "").partition("@")[0],
            device=_word(query.get("deviceId", ""), 64),
            platform=_word(query.get("apiVer", "").replace("|", " ").strip(), 32),
            seat=await run_in_thread(calls.seat_of, app_key, now=timezone.now()),
        )

    def say_connected(self, client: Client) -> None:
        self.put(
            frames.connected(
                user_id=client.user_id,
                session_id=str(client.connection_id),
                now=timezone.now(),
                with_mask=self._with_mask,
            )
        )

    def farewell(self, closing: Closing) -> Farewell:
        """Without a last frame, the SDK comes back."""
        if self.is_connected:
            codes = words.DISCONNECTS_OF_2 if self._is_sdk_2 else words.DISCONNECTS
            frame = frames.disconnected
        else:
            codes = words.REFUSALS_OF_2 if self._is_sdk_2 else words.REFUSALS
            frame = frames.refused
        status = codes.get(closing.reason)
        return Farewell(() if status is None else (frame(status),))

    # --- Answering ---

    async def answer(self, client: Client, frame: Frame) -> None:
        try:
            request = frames.parse(frame)
        except BadFrame:
            self.count_mistake()
            return
        match request.type:
            case Type.PINGREQ:
                self.put(frames.PONG)
            case Type.PUBLISH if request.topic not in UNANSWERED:
                await self._answer_message(client, request)
            case Type.QUERY:
                await self._answer_query(client, request)

    async def _answer_message(self, client: Client, request: Received) -> None:
        now = timezone.now()
        try:
            at, uid = await self._take(client, request, now)
            self.put(frames.message_answer(id=request.id, at=at, uid=uid))
            return
        except calls.REFUSALS as error:
            status = calls.code_of(error)
        except Error:
            log.exception("the database does not answer")
            status = words.FAILED
        if status == words.FAILED:
            self.count_mistake()
        self.put(frames.message_answer(id=request.id, at=now, status=status))

    async def _take(self, client: Client, request: Received, now: datetime) -> tuple[datetime, str]:
        """Store what a message says; return when, and its id. Raises one of `calls.REFUSALS`."""
        # SDK 2 gives messages no id of its own; it does not send one again on its own either.
        attempt = f"{client.connection_id}-{milliseconds(now)}-{request.id}"
        message = calls.message_of(request, attempt)
        if isinstance(message, ReadReceipt):
            await run_in_thread(receipt, client, message.message_id, NoticeKind.READ)
            return now, f"receipt-{message.message_id}"
        sent = await send(
            client,
            recipient_id=message.recipient_id,
            client_id=message.client_id,
            body=message.body,
            extra=message.extra,
        )
        return sent.sent_at, str(sent.pk)

    async def _answer_query(self, client: Client, request: Received) -> None:
        now = timezone.now()
        try:
            match request.topic:
                case "pullMsg":
                    answer = Answer(payload=await self._inbox.answer(client, request.payload))
                case "pullUserSub":
                    watched = await run_in_thread(watched_by, client)
                    answer = Answer(payload=statuses.subscriptions(watched, now))
                case "pullSubData":
                    answer = await self._pull_statuses(client, request, now)
                case topic if topic in calls.QUERIES:
                    answer = await run_in_thread(calls.answer, client, request, now)
                case _:
                    answer = calls.answer_nothing(request, now)
        except ConnectionClosing:
            answer = Answer(words.CLOSING)
        except Malformed:
            answer = Answer(words.FAILED)
        except Error:
            log.exception("the database does not answer")
            answer = Answer(words.FAILED)
        if answer.status == words.FAILED:
            self.count_mistake()
        self.put(
            frames.query_answer(
                id=request.id, now=now, status=answer.status, payload=answer.payload
            )
        )
        if request.topic == "pullSubData" and self._changed:
            self._say_changed()  # an SDK that waits for this answer takes no notice of the first

    # --- Who is online ---

    async def _pull_statuses(self, client: Client, request: Received, now: datetime) -> Answer:
        everybody = statuses.wants_everybody(request.payload)
        # Whoever changes from here on is told in another notification.
        changed, self._changed = self._changed, frozenset()
        watched = await run_in_thread(watched_by, client)
        asked = [each for each in watched if everybody or each in changed]
        found = await run_in_thread(statuses.of, client, asked, now, is_full=everybody)
        return Answer(payload=found.SerializeToString())

    def presence_changed(self, about_ids: Collection[str]) -> None:
        """One notification until the client asks, so that a client that does not costs nothing."""
        if not self._changed:
            self._say_changed()
        self._changed = self._changed.union(about_ids)

    def _say_changed(self) -> None:
        if self.client is not None and self.is_connected:
            now = timezone.now()
            payload = statuses.something_changed(now)
            self.put(
                frames.published(
                    topic="s_cmd", target=self.client.user_id, payload=payload, now=now
                )
            )

    # --- Messages that wait ---

    def notify(self) -> None:
        self._inbox.notify()
        self.deliver()

    async def deliver_waiting(self, client: Client) -> bool:
        """Tell the client to ask."""
        if self._inbox.was_asked:
            now = timezone.now()
            waits = self._inbox.something_waits(now)
            self.put(frames.published(topic="s_ntf", target=client.user_id, payload=waits, now=now))
            await self.drained()
        return False


def _word(value: str, most: int) -> str:
    """The client's own word, if it is text that can be shown."""
    value = value[:most]
    return value if identity.is_text(value, most) else ""
