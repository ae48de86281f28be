"""The wire protocol: JSON text frames, error codes, close codes. `docs/gateway.md` documents it for
client authors.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from users import identity
from users.models import KickReason
from users.presence import Kick

# In UTF-8. The server closes the socket if a frame is larger.
MAX_FRAME_BYTES = 16_384
MAX_CALL_ID_CHARACTERS = 64


@dataclass(frozen=True)
class CloseCode:
    """Why a connection is refused or closed: the close frame's code and reason."""

    code: int
    reason: str


# A retry needs another token, or must wait until the user may connect again.
UNKNOWN_TOKEN = CloseCode(4001, "unknown_token")
EXPIRED_TOKEN = CloseCode(4002, "expired_token")
REVOKED_TOKEN = CloseCode(4003, "revoked_token")
WRONG_ENVIRONMENT = CloseCode(4004, "wrong_environment")
BANNED = CloseCode(4010, "banned")
DEACTIVATED = CloseCode(4011, "deactivated")
DELETED = CloseCode(4012, "deleted")
SIGNED_OUT = CloseCode(4013, "signed_out")
# The client may reconnect, at once or after a pause.
KICKED = CloseCode(4020, "kicked")
TOO_MANY_CONNECTIONS = CloseCode(4021, "too_many_connections")
FLOOD = CloseCode(4022, "too_many_attempts")
SLOW_READER = CloseCode(4023, "slow_reader")
INTERNAL_ERROR = CloseCode(1011, "internal_error")
RESTARTING = CloseCode(1012, "restarting")
UNAVAILABLE = CloseCode(1013, "unavailable")
# Errors of the client.
NOT_CONNECTED = CloseCode(4030, "no_connect_frame")
ABUSE = CloseCode(4031, "abuse")


class BadFrame(Exception):
    """Not a valid frame; `error` is the protocol's error code."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


def closing_of(kick: Kick) -> tuple[CloseCode, dict[str, Any]]:
    """The close code for a kick, and the further members of the "closing" frame."""
    return close_code_of(kick.reason), members(until=kick.until, why=kick.why or None)


def close_code_of(reason: KickReason) -> CloseCode:
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
    """The members of a frame, without those that are None. Times are in ISO 8601."""
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
    except ValueError:  # also raised for numbers with thousands of digits
        raise BadFrame("not_json", "The frame is not JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame("not_an_object", "A frame is a JSON object")
    return frame


def text(frame: dict[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def call_id(frame: dict[str, Any]) -> str | int | None:
    """The client's `id` for its call; None if it gave none. Raises `BadFrame`."""
    if isinstance(frame.get("id"), str):
        return string(frame, "id", most=MAX_CALL_ID_CHARACTERS)
    return whole_number(frame, "id") if frame.get("id") is not None else None


def string(
    frame: dict[str, Any],
    name: str,
    *,
    default: str | None = None,
    most: int,
    multiline: bool = False,
) -> str:
    """A text field of at most `most` characters, see `identity.is_text`. Raises `BadFrame`."""
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
    """An integer from 0 to 2^63 - 1, as the database can store. Raises `BadFrame`."""
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrame("bad_field", f"{name} is a whole number, not negative")
    return value
