"""What an app adds to a text for the app that receives it: user cards, mentions, fields of its own.

Invariants
----------
* Every protocol of the gateway can write what is stored here to its clients: names and values are
  JSON of bounded depth, without lone surrogates and without numbers that JSON does not have.
* It is stored as text, not as `jsonb`: the receiver's app gets the members in their order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Of JSON in UTF-8. The smallest of the vendors' limits: a message has to fit every protocol.
MAX_BYTES = 5_120
MAX_DEPTH = 16

_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class InvalidExtra(Exception):
    """It is not JSON that every client can read, or has too many levels."""


class ExtraTooLong(Exception):
    """It is longer than `MAX_BYTES`."""


@dataclass(frozen=True, slots=True)
class Extra:
    """`members` are for clients of all protocols. `own` is what only one protocol can show, under
    the name of the protocol.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Extra()


def pack(extra: Extra) -> str:
    """As it is stored; "" for nothing. Raises `InvalidExtra`, `ExtraTooLong`."""
    if not extra.members and not extra.own:
        return ""
    document = [extra.members, extra.own] if extra.own else [extra.members]
    if not _is_shallow(document, MAX_DEPTH + 1):
        raise InvalidExtra(f"What the app adds has at most {MAX_DEPTH} levels")
    try:
        packed = _ENCODE(document)
        size = len(packed.encode())
    except ValueError:
        raise InvalidExtra("What the app adds is not valid JSON") from None
    if size > MAX_BYTES:
        raise ExtraTooLong(f"What the app adds has at most {MAX_BYTES:,} bytes")
    return packed


def unpack(packed: str) -> Extra:
    """The inverse of `pack`."""
    return Extra(*json.loads(packed)) if packed else NOTHING


def _is_shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)
