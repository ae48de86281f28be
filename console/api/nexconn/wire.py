"""Nexconn's bodies, its envelope, and its error table."""

import json
from dataclasses import replace
from typing import Any, Generic, TypeVar

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser

from console.api import codes
from console.api.signature import DoorClosed
from console.api.vendor import UnreadableBody

R = TypeVar("R")

REFUSALS = {
    **codes.REFUSALS,
    # RongCloud's 430 is no status that an SDK knows.
    DoorClosed: replace(codes.NOT_ENABLED, status=403),
}


class Done(Schema):
    code: int = 0


class Answer(Done, Generic[R]):
    """Exactly these keys: one of the SDKs refuses any other."""

    result: R


class JSONBody(Parser):
    """One JSON object in UTF-8, whatever its Content-Type; no key twice."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        try:
            body = json.loads(
                request.body.decode(), object_pairs_hook=_once, parse_constant=_no_number
            )
        except UnicodeDecodeError:
            raise UnreadableBody("The body is not UTF-8") from None
        except RecursionError:
            raise UnreadableBody("The body is nested too deep") from None
        except ValueError as error:
            raise UnreadableBody(f"The body is not JSON: {error}") from None
        if not isinstance(body, dict):
            raise UnreadableBody("The body is not a JSON object")
        return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key appears twice")
    return members


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
