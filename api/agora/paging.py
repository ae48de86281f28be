"""Pages: their cursors, sizes and numbers.

Invariants
----------
* A cursor is good for the environment that it was made for alone, and tells nobody what is in it:
  the keys of a table count all environments' rows.
* A size that is no number has a meaning, so that sizes and numbers arrive as text.
"""

from typing import Annotated

from cryptography.fernet import InvalidToken
from pydantic import WithJsonSchema

from api.agora import wire
from api.agora.wire import Refused
from applications import vault
from applications.keyset import BadCursor
from applications.models import Environment

MAX_PAGE = 100
DEFAULT_PAGE = 10
MAX_SHORT_PAGE = 50
MAX_LONG_PAGE = 500


def _described(most: int | None, default: int) -> WithJsonSchema:
    bounds = {"type": "integer", "minimum": 1, "default": default}
    return WithJsonSchema(bounds if most is None else {**bounds, "maximum": most})


PageSize = Annotated[str | None, _described(MAX_PAGE, DEFAULT_PAGE)]
ShortPageSize = Annotated[str | None, _described(MAX_SHORT_PAGE, DEFAULT_PAGE)]
LongPageSize = Annotated[str | None, _described(MAX_LONG_PAGE, DEFAULT_PAGE)]
PageNumber = Annotated[str | None, _described(None, 1)]


def _number(text: str | None) -> int:
    """0 for what is no number, in ASCII digits, or one of more than nine."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def page_size(text: str | None, *, most: int = MAX_PAGE) -> int:
    """What is no number above 0 is the default, what is too large the largest."""
    return min(_number(text), most) or DEFAULT_PAGE


def number_to_delete(text: str | None) -> int:
    """As `page_size`, but only what was not sent is the default: nobody is deleted by a mistyped
    number. Raises `Refused`.
    """
    if text is None:
        return DEFAULT_PAGE
    size = min(_number(text), MAX_PAGE)
    if not size:
        raise Refused(wire.INVALID)
    return size


def page_number(text: str | None) -> int:
    """From 1; what is no number is 1."""
    if not text or not text.isascii() or not text.isdecimal():
        return 1
    # Longer numbers are beyond every page, and int() refuses very long ones.
    return int(text[:20]) or 1


def sealed(environment: Environment, cursor: str | None) -> str | None:
    """A cursor of a keyset, as it goes out."""
    if cursor is None:
        return None
    return vault.encrypt(f"{environment.pk} {cursor}").rstrip("=")


def opened(environment: Environment, text: str) -> str:
    """The keyset's cursor; "" is none. Raises `BadCursor`."""
    if not text:
        return ""
    try:
        owner, _, cursor = vault.decrypt_once(text + "=" * (-len(text) % 4)).partition(" ")
    except InvalidToken:
        raise BadCursor(text) from None
    if owner != str(environment.pk):
        raise BadCursor(text)
    return cursor
