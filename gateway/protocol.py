"""What goes over the socket: JSON text frames, named errors, close codes. `docs/gateway.md` tells
client authors the same.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from users import identity
from users.models import KickReason
from users.presence import Kick

# Of UTF-8; the server closes the socket of a larger one by itself.
MAX_FRAME_BYTES = 16_384
MAX_TAG_CHARACTERS = 64


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
INTERNAL_ERROR = Ending(1011, "internal_error")
RESTARTING = Ending(1012, "restarting")
UNAVAILABLE = Ending(1013, "unavailable")
# The client is at fault.
NOT_CONNECTED = Ending(4030, "no_connect_frame")
ABUSE = Ending(4031, "abuse")


class BadFrame(Exception):
    """Not a frame of this protocol; `error` is the word for it."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


def farewell(kick: Kick) -> tuple[Ending, dict[str, Any]]:
    """How a kick ends a connection, and what the last frame says beside the reason."""
    return kicked_by(kick.reason), members(until=kick.until, why=kick.why or None)


def kicked_by(reason: KickReason) -> Ending:
    """What the client hears of a kick."""
    match reason:
        case KickReason.BANNED:
            return BANNED
        case KickReason.DEACTIVATED:
            return DEACTIVATED
        case KickReason.DELETED:
            return DELETED
        case KickReason.SIGNED_OUT:
            return SIGNED_OUT
        case KickReason.KICKED:
            return KICKED
        case _:
            assert_never(reason)


def members(**fields: str | datetime | None) -> dict[str, Any]:
    """Members of a frame, moments in ISO 8601; those that are None are not there."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None
    }


def parse(event: dict[str, Any]) -> dict[str, Any]:
    """The JSON object in a received text frame. Raises `BadFrame`."""
    text = event.get("text")
    if text is None:
        raise BadFrame("not_text", "Frames are JSON in text, not binary")
    try:
        frame = json.loads(text)
    except RecursionError:
        raise BadFrame("too_deep", "The frame has too many levels") from None
    except ValueError:  # also for numbers with thousands of digits
        raise BadFrame("not_json", "The frame is not JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame("not_an_object", "A frame is a JSON object")
    return frame


def text(frame: dict[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def tag(frame: dict[str, Any]) -> str | int | None:
    """What the client calls its call by. Raises `BadFrame`."""
    if isinstance(frame.get("id"), str):
        return string(frame, "id", most=MAX_TAG_CHARACTERS)
    return whole_number(frame, "id") if frame.get("id") is not None else None


def string(
    frame: dict[str, Any],
    name: str,
    *,
    default: str | None = None,
    most: int,
    multiline: bool = False,
) -> str:
    """A text field that every store can keep. Raises `BadFrame`."""
    value = frame.get(name, default)
    if not isinstance(value, str) or not identity.is_text(value, most, multiline=multiline):
        raise BadFrame("bad_field", f"{name} is text of at most {most} printable characters")
    return value


def strings(frame: dict[str, Any], name: str, *, most: int) -> list[str]:
    """A list of 1 to `most` texts. Raises `BadFrame`."""
    return [
        string({name: each}, name, most=MAX_FRAME_BYTES) for each in _items(frame, name, most=most)
    ]


def whole_numbers(frame: dict[str, Any], name: str, *, most: int) -> list[int]:
    """A list of 1 to `most` numbers. Raises `BadFrame`."""
    return [whole_number({name: each}, name) for each in _items(frame, name, most=most)]


def _items(frame: dict[str, Any], name: str, *, most: int) -> list[Any]:
    value = frame.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise BadFrame("bad_field", f"{name} is a list of 1 to {most}")
    return value


def whole_number(frame: dict[str, Any], name: str, *, default: int | None = None) -> int:
    """A number that the database can hold, not negative. Raises `BadFrame`."""
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrame("bad_field", f"{name} is a whole number, not negative")
    return value
