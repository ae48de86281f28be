"""Frames: a header byte, then the body until the WebSocket message ends. Numbers are big-endian, a
text is two bytes of length and UTF-8.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path

from applications.unix_time import milliseconds
from gateway import protobuf
from gateway.inbound import Frame

# The SDKs send up to 128 KiB of content and say so when it is more.
MAX_FRAME_BYTES = 140_000
messages = protobuf.classes(Path(__file__).with_name("messages.proto"))


class Type(IntEnum):
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    QUERY = 5
    QUERYACK = 6
    QUERYCON = 7
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


FROM_CLIENTS = frozenset(
    {Type.PUBLISH, Type.PUBACK, Type.QUERY, Type.QUERYCON, Type.PINGREQ, Type.DISCONNECT}
)
WITH_TOPIC = frozenset({Type.PUBLISH, Type.QUERY})


class BadFrame(Exception):
    """Not a frame that a client sends."""


class NotSupported(Exception):
    """The client asks for something that is not served here."""


@dataclass(frozen=True, slots=True)
class Received:
    """A client's frame. What its type does not have is empty."""

    type: Type
    topic: str = ""
    target: str = ""
    id: int = 0
    payload: bytes = b""


def parse(frame: Frame) -> Received:
    """Raises `BadFrame`."""
    if isinstance(frame, str):
        raise BadFrame("a text frame")
    if not frame or frame[0] >> 4 not in FROM_CLIENTS:
        raise BadFrame("no type that clients send")
    kind = Type(frame[0] >> 4)
    if kind not in WITH_TOPIC:
        return Received(kind)
    try:
        topic, at = _text(frame, 1)
        target, at = _text(frame, at)
        (number,) = struct.unpack_from(">H", frame, at)
    except (struct.error, UnicodeDecodeError) as error:
        raise BadFrame(str(error)) from None
    return Received(kind, topic, target, number, frame[at + 2 :])


def _text(frame: bytes, at: int) -> tuple[str, int]:
    """The text at this place, and the place after it."""
    (length,) = struct.unpack_from(">H", frame, at)
    (text,) = struct.unpack_from(f"{length}s", frame, at + 2)
    return text.decode(), at + 2 + length


def _as_text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def connected(*, user_id: str, session_id: str, now: datetime, with_mask: bool) -> bytes:
    """CONNACK of an admitted client. Version 4 of the protocol wants a mask of what follows."""
    return (
        (b"\x20\x00\x00\x07" if with_mask else b"\x20\x00\x00")
        + _as_text(user_id)
        + _as_text(session_id)
        + struct.pack(">Q", milliseconds(now))
    )


def refused(status: int) -> bytes:
    return bytes((Type.CONNACK << 4, 0, status))


def disconnected(status: int) -> bytes:
    return bytes((Type.DISCONNECT << 4, 0, status))


PONG = bytes((Type.PINGRESP << 4,))


def published(*, topic: str, target: str, payload: bytes, now: datetime) -> bytes:
    """To the client, which sends no receipt for it."""
    header = struct.pack(">BI", Type.PUBLISH << 4, _seconds(now))
    return header + _as_text(topic) + _as_text(target) + struct.pack(">H", 1) + payload


def message_answer(*, id: int, at: datetime, status: int = 0, uid: str = "") -> bytes:
    """PUBACK: what became of a message, and when it was stored."""
    ms = milliseconds(at) % 1000
    return struct.pack(">BHIHH", Type.PUBACK << 4, id, _seconds(at), status, ms) + _as_text(uid)


def query_answer(*, id: int, now: datetime, status: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">BHIH", Type.QUERYACK << 4, id, _seconds(now), status) + payload


def _seconds(moment: datetime) -> int:
    return milliseconds(moment) // 1000
