"""Cursors, sizes and numbers of pages.

Invariants
----------
* A cursor is valid in its own environment alone. It is encrypted, because a table's keys reveal the
  number of rows of all environments.
* Sizes and page numbers are parsed here from text, because invalid ones have a meaning.
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
    """The number, or 0 if the text is not one to nine ASCII digits."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def page_size(text: str | None, *, most: int = MAX_PAGE) -> int:
    """The page size: the default if `text` is not a positive number, at most `most`."""
    return min(_number(text), most) or DEFAULT_PAGE


def number_to_delete(text: str | None) -> int:
    """Like `page_size`, but an invalid number raises `Refused`: a typing error must not delete
    users. The default is for None alone.
    """
    if text is None:
        return DEFAULT_PAGE
    size = min(_number(text), MAX_PAGE)
    if not size:
        raise Refused(wire.INVALID)
    return size


def page_number(text: str | None) -> int:
    """The page number, from 1; 1 if `text` is not a number."""
    if not text or not text.isascii() or not text.isdecimal():
        return 1
    # Longer numbers are beyond every page, and int() raises an error for very long ones.
    return int(text[:20]) or 1


def encrypt_cursor(environment: Environment, cursor: str | None) -> str | None:
    """A keyset's cursor, encrypted for the client."""
    if cursor is None:
        return None
    return vault.encrypt(f"{environment.pk} {cursor}").rstrip("=")


def decrypt_cursor(environment: Environment, text: str) -> str:
    """The keyset's cursor of a client's text; "" means none. Raises `BadCursor`."""
    if not text:
        return ""
    try:
        owner, _, cursor = vault.decrypt_once(text + "=" * (-len(text) % 4)).partition(" ")
    except InvalidToken:
        raise BadCursor(text) from None
    if owner != str(environment.pk):
        raise BadCursor(text)
    return cursor
