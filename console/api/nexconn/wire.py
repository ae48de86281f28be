"""Nexconn's envelope, and its error table. Its bodies are JSON objects: see `bodies`."""

from dataclasses import replace
from typing import Generic, TypeVar

from ninja import Schema

from console.api import codes
from console.api.signature import DoorClosed

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
