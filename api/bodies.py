"""JSON bodies of RongCloud's and Nexconn's callers."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from api.vendor import UnreadableBody


class JSONBody(Parser):
    """Parses one JSON object in UTF-8 and ignores the Content-Type. Duplicate keys are refused."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        try:
            body = loads(request.body.decode())
        except UnicodeDecodeError:
            raise UnreadableBody("The body is not UTF-8") from None
        except ValueError as error:
            raise UnreadableBody(f"The body is not JSON: {error}") from None
        if not isinstance(body, dict):
            raise UnreadableBody("The body is not a JSON object")
        return body


def loads(text: str) -> Any:
    """Parse strict JSON. Raises `ValueError`, also for duplicate keys and for NaN."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key appears twice")
    return members


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number")
