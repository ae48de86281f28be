"""A connection that speaks the protocol of RongCloud's web SDKs."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from django.db import Error
from django.utils import timezone

from gateway.admission import Refused
from gateway.calls import Client, ConnectionClosing
from gateway.calls import watched as watched_by
from gateway.closings import Closing, Farewell, Reason
from gateway.connecting import ConnectRequest, Handshake
from gateway.database import run_in_thread
from gateway.outbox import Frame, Send
from gateway.protobuf import Malformed
from gateway.rongcloud import calls, frames, statuses, words
from gateway.rongcloud.calls import Answer
from gateway.rongcloud.frames import BadFrame, Received, Type, milliseconds
from gateway.session import Receive, Session
from users import identity

if TYPE_CHECKING:
    from gateway.process import Gateway

log = logging.getLogger(__name__)

MAX_PARAMETERS = 20
# A cursor from here on is a time in milliseconds; the keys of messages stay below.
TIMES_FROM = 10**12
# Topics of messages to which the SDK expects no answer, such as "is typing".
UNANSWERED = frozenset({"ppMsgS", "pgMsgS", "chatMsgS", "prMsgS"})


class RongCloudSession(Session):
    MAX_FRAME_BYTES = frames.MAX_FRAME_BYTES

    __slots__ = (
        "_acknowledged",
        "_changed",
        "_has_pulled",
        "_is_sdk_2",
        "_last_time",
        "_with_mask",
    )

    def __init__(self, gateway: "Gateway", receive: Receive, send: Send):
        super().__init__(gateway, receive, send)
        # Up to where messages are acknowledged, and the time of the last one that was given out.
        self._acknowledged = self._last_time = 0
        self._has_pulled = self._is_sdk_2 = self._with_mask = False
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
        self._with_mask = query.get("protocolVer") == "4"
        app_key = query.get("appId", "")
        if not app_key or not identity.is_text(app_key, 64):
            raise Refused(Reason.NO_CONNECT_FRAME, "The handshake has no app key.")
        return ConnectRequest(
            app_key=app_key,
            token=query.get("token", "").partition("@")[0],
            device=_word(query.get("deviceId", ""), 64),
            platform=_word(query.get("apiVer", "").replace("|", " ").strip(), 32),
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
            statuses = words.DISCONNECTS_OF_2 if self._is_sdk_2 else words.DISCONNECTS
            frame = frames.disconnected
        else:
            statuses = words.REFUSALS_OF_2 if self._is_sdk_2 else words.REFUSALS
            frame = frames.refused
        status = statuses.get(closing.reason)
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
        # SDK 2 gives messages no id of its own; it does not send one again on its own either.
        attempt = f"{client.connection_id}-{milliseconds(timezone.now())}-{request.id}"
        try:
            sent = await run_in_thread(calls.send, client, request, attempt)
        except Error:
            log.exception("the database does not answer")
            sent = calls.Sent(words.FAILED)
        if sent.status == words.FAILED:
            self.count_mistake()
        if sent.message is None:
            self.put(frames.message_answer(id=request.id, at=timezone.now(), status=sent.status))
        else:
            at, uid = sent.message.sent_at, str(sent.message.pk)
            self.put(frames.message_answer(id=request.id, at=at, uid=uid))

    async def _answer_query(self, client: Client, request: Received) -> None:
        now = timezone.now()
        try:
            match request.topic:
                case "pullMsg":
                    answer = await self._pull(client, request)
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
        if self.client is not None and self.is_connected and not self._changed:
            now = timezone.now()
            payload = statuses.something_changed(now)
            self.put(
                frames.published(
                    topic="s_cmd", target=self.client.user_id, payload=payload, now=now
                )
            )
        self._changed = self._changed.union(about_ids)

    # --- Messages that wait ---

    async def _pull(self, client: Client, request: Received) -> Answer:
        cursor = calls.cursor_of(request.payload)
        # Whoever is told from here on that something waits has it, or asks again.
        self._has_pulled = True
        in_time = self._is_sdk_2 or cursor >= TIMES_FROM
        if not in_time:
            after = received = cursor
        else:
            after = self.last_sent
            received = after if cursor >= self._last_time else 0
        if received == self._acknowledged:
            received = 0
        found = await run_in_thread(calls.pull, client, received, after)
        self._acknowledged = received or self._acknowledged
        if found:
            self.last_sent = found[-1].pk
            self._last_time = max(milliseconds(each.sent_at) for each in found)
            cursor = max(cursor, self._last_time) if in_time else self.last_sent
        return Answer(payload=calls.pulled(found, cursor))

    async def deliver_waiting(self, client: Client) -> bool:
        """Tell the client to ask. Its first question comes by itself."""
        if self._has_pulled:
            now = timezone.now()
            waits = calls.something_waits(max(milliseconds(now), self._last_time + 1))
            self.put(frames.published(topic="s_ntf", target=client.user_id, payload=waits, now=now))
            await self.drained()
        return False


def _word(value: str, most: int) -> str:
    """The client's own word, if it is text that can be shown."""
    value = value[:most]
    return value if identity.is_text(value, most) else ""
