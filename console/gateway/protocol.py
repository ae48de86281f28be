"""What goes over the socket: JSON text frames, named errors, close codes. `docs/gateway.md` tells
client authors the same.
"""

import json
from dataclasses import dataclass
from typing import Any

MAX_FRAME_BYTES = 16_384
MAX_DEPTH = 8


@dataclass(frozen=True)
class Ending:
    """Why a connection is refused or closed: a code for the socket, a word for programs."""

    code: int
    reason: str


# Whoever gets one of these may come back with a better token, or later; no retry helps before.
UNKNOWN_TOKEN = Ending(4001, "unknown_token")
EXPIRED_TOKEN = Ending(4002, "expired_token")
REVOKED_TOKEN = Ending(4003, "revoked_token")
WRONG_ENVIRONMENT = Ending(4004, "wrong_environment")
BANNED = Ending(4010, "banned")
DEACTIVATED = Ending(4011, "deactivated")
DELETED = Ending(4012, "deleted")
SIGNED_OUT = Ending(4013, "signed_out")
# May come back at once, or after a pause.
KICKED = Ending(4020, "kicked")
TOO_MANY_CONNECTIONS = Ending(4021, "too_many_connections")
FLOOD = Ending(4022, "too_many_attempts")
SLOW_READER = Ending(4023, "slow_reader")
RESTARTING = Ending(1012, "restarting")
UNAVAILABLE = Ending(1013, "unavailable")
# The client is at fault.
NOT_CONNECTED = Ending(4030, "no_connect_frame")
ABUSE = Ending(4031, "abuse")
FRAME_TOO_LARGE = Ending(1009, "frame_too_large")

# What the domain writes into `Connection.kick_reason`, and what the client hears.
KICKS = {
    "banned": BANNED,
    "deactivated": DEACTIVATED,
    "deleted": DELETED,
    "signed out": SIGNED_OUT,
    "kicked": KICKED,
}


class BadFrame(Exception):
    """Not a frame of this protocol; `error` is the word for it."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


def parse(event: dict[str, Any]) -> dict[str, Any]:
    """The JSON object in a received text frame. Raises `BadFrame`."""
    text = event.get("text")
    if text is None:
        raise BadFrame("not_text", "Frames are JSON in text, not binary")
    if len(text) > MAX_FRAME_BYTES or len(text.encode(errors="replace")) > MAX_FRAME_BYTES:
        raise BadFrame("frame_too_large", f"A frame has at most {MAX_FRAME_BYTES:,} bytes")
    try:
        frame = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadFrame("not_json", "The frame is not JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame("not_an_object", "A frame is a JSON object")
    if _depth(frame) > MAX_DEPTH:
        raise BadFrame("too_deep", f"A frame has at most {MAX_DEPTH} levels")
    return frame


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(each) for each in inner), default=0)


def text(frame: dict[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def string(frame: dict[str, Any], name: str, *, default: str | None = None, most: int) -> str:
    """A text field. Raises `BadFrame`."""
    value = frame.get(name, default)
    if not isinstance(value, str) or len(value) > most:
        raise BadFrame("bad_field", f"{name} is text of at most {most} characters")
    return value


def strings(frame: dict[str, Any], name: str, *, most: int) -> list[str]:
    """A list of 1 to `most` texts. Raises `BadFrame`."""
    value = frame.get(name)
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= most
        or not all(isinstance(each, str) for each in value)
    ):
        raise BadFrame("bad_field", f"{name} is a list of 1 to {most} texts")
    return value


def whole_number(frame: dict[str, Any], name: str, *, default: int | None = None) -> int:
    """A number that the database can hold, not negative. Raises `BadFrame`."""
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrame("bad_field", f"{name} is a whole number, not negative")
    return value
