"""A connection that speaks Rollcall's own protocol."""

import logging
from typing import Any

from django.db import Error

from gateway.admission import Refused
from gateway.calls import Client, undelivered
from gateway.closings import Closing, Farewell, Reason
from gateway.connecting import ConnectRequest, Handshake
from gateway.inbound import Frame
from gateway.rollcall import calls, frames
from gateway.rollcall.frames import BadFrame
from gateway.rollcall.words import CLOSE_CODES
from gateway.session import Session
from users import extras
from users.messages import StoredMessage

log = logging.getLogger(__name__)

DELIVERED_AT_ONCE = 50


class RollcallSession(Session):
    MAX_FRAME_BYTES = frames.MAX_FRAME_BYTES

    __slots__ = ()

    async def connect_request(self, handshake: Handshake) -> ConnectRequest:
        try:
            frame = frames.parse(await self.next_frame())
            return ConnectRequest(
                app_key=frames.string(frame, "app_key", most=64),
                token=frames.string(frame, "token", most=256),
                device=frames.string(frame, "device", default="", most=64),
                platform=frames.string(frame, "platform", default="", most=32),
                after=frames.whole_number(frame, "after", default=0),
            )
        except BadFrame as error:
            raise Refused(Reason.NO_CONNECT_FRAME, f"{error}.") from None

    def say_connected(self, client: Client) -> None:
        self.put(
            frames.text(
                {
                    "event": "connected",
                    "user_id": client.user_id,
                    "connection": client.connection_id,
                }
            )
        )

    async def answer(self, client: Client, frame: Frame) -> None:
        call_id: str | int | None = None
        try:
            call = frames.parse(frame)
            call_id = frames.call_id(call)
            answer = {"id": call_id, "ok": True, **await calls.answer(client, call)}
        except BadFrame as mistake:
            self.count_mistake()
            answer = _refusal(call_id, mistake.error, str(mistake))
        except calls.CallRefused as refusal:
            answer = _refusal(call_id, refusal.error, str(refusal))
        except Error:
            log.exception("the database does not answer")
            answer = _refusal(call_id, "unavailable", "Send the same again after a pause.")
        self.put(frames.text(answer))

    async def deliver_waiting(self, client: Client) -> bool:
        found = await undelivered(client, self.last_sent, DELIVERED_AT_ONCE)
        for message in found:
            self.last_sent = message.pk
            self.put(frames.text(_event(message)))
        await self.drained()
        return len(found) == DELIVERED_AT_ONCE

    def farewell(self, closing: Closing) -> Farewell:
        frame = {
            "event": "closing",
            "reason": closing.reason,
            **frames.members(
                message=closing.message or None, until=closing.until, why=closing.why or None
            ),
        }
        return Farewell((frames.text(frame),), CLOSE_CODES[closing.reason], closing.reason)


def _event(message: StoredMessage) -> dict[str, Any]:
    extra = extras.unpack(message.extra).members
    return {
        "event": "message",
        "message_id": message.pk,
        "from": message.sender_id,
        "to": message.recipient_id,
        "body": message.body,
        **({"extra": extra} if extra else {}),
        "sent_at": message.sent_at.isoformat(),
    }


def _refusal(call_id: str | int | None, error: str, message: str) -> dict[str, Any]:
    return {"id": call_id, "ok": False, "error": error, "message": message}
