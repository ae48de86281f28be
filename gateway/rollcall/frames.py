"""JSON objects in text frames."""

import json
from datetime import datetime
from typing import Any

from gateway.inbound import Frame
from users import identity

# In UTF-8. The server closes the socket if a frame is larger.
MAX_FRAME_BYTES = 24_576
MAX_CALL_ID_CHARACTERS = 64
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class BadFrame(Exception):
    """Not a valid frame; `error` is the protocol's error code."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


def members(**fields: str | datetime | None) -> dict[str, Any]:
    """The members of a frame, without those that are None. Times are in ISO 8601."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None
    }


def parse(received: Frame) -> dict[str, Any]:
    """The JSON object in a received frame. Raises `BadFrame`."""
    if isinstance(received, bytes):
        raise BadFrame("not_text", "Frames are JSON in text, not binary")
    try:
        frame = json.loads(received)
    except RecursionError:
        raise BadFrame("too_deep", "The frame has too many levels") from None
    except ValueError:  # also raised for numbers with thousands of digits
        raise BadFrame("not_json", "The frame is not JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame("not_an_object", "A frame is a JSON object")
    return frame


def text(frame: dict[str, Any]) -> str:
    return _ENCODE(frame)


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


def json_object(frame: dict[str, Any], name: str) -> dict[str, Any]:
    """A JSON object, empty by default. Raises `BadFrame`."""
    value = frame.get(name, {})
    if not isinstance(value, dict):
        raise BadFrame("bad_field", f"{name} is an object")
    return value


def whole_number(frame: dict[str, Any], name: str, *, default: int | None = None) -> int:
    """An integer from 0 to 2^63 - 1, as the database can store. Raises `BadFrame`."""
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrame("bad_field", f"{name} is a whole number, not negative")
    return value
