"""The attributes that an app gives a message (`ext`): a list of `KeyValue` here, members of a JSON
object elsewhere. An app gets what it would get if the other app had the vendor's SDK too.
"""

import json
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from gateway.agora.frames import types
from gateway.protobuf import Message
from users.extras import InvalidExtra


class Type(IntEnum):
    BOOL = 1
    INT = 2
    UINT = 3
    LONG = 4
    FLOAT = 5
    DOUBLE = 6
    STRING = 7
    JSON = 8


_WHOLE = frozenset({Type.INT, Type.UINT, Type.LONG})
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def read(attributes: Iterable[Message]) -> dict[str, Any]:
    """Raises `InvalidExtra`."""
    return {each.key: _value(each) for each in attributes}


def write(members: Mapping[str, Any]) -> list[Message]:
    return [_key_value(key, value) for key, value in members.items()]


def _value(given: Message) -> Any:
    if given.type == Type.BOOL:
        return bool(given.whole)
    if given.type in _WHOLE:
        return given.whole
    if given.type == Type.FLOAT:
        return given.single
    if given.type == Type.DOUBLE:
        return given.double
    if given.type == Type.STRING:
        return given.text
    try:
        return json.loads(given.text)
    except (ValueError, RecursionError):
        raise InvalidExtra(f"The attribute {given.key[:64]} is not valid JSON") from None


def _key_value(key: str, value: Any) -> Message:
    match value:
        case bool():
            return types.KeyValue(key=key, type=Type.BOOL, whole=int(value))
        case int() if _SMALLEST <= value <= _LARGEST:
            return types.KeyValue(key=key, type=Type.INT, whole=value)
        case int() | float():
            return types.KeyValue(key=key, type=Type.DOUBLE, double=value)
        case str():
            return types.KeyValue(key=key, type=Type.STRING, text=value)
        case _:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            return types.KeyValue(key=key, type=Type.JSON, text=text)
