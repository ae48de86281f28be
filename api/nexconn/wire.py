"""Nexconn's envelope, and its error table. Its bodies are JSON objects: see `bodies`."""

from dataclasses import replace
from typing import Generic, Literal, TypeVar

from ninja import Schema

from api import codes, signature
from api.signature import DoorClosed
from api.vendor import Documented

R = TypeVar("R")

# RongCloud's 430 is no status that an SDK knows.
NOT_ENABLED = replace(codes.NOT_ENABLED, status=403)
REFUSALS = {**codes.REFUSALS, DoorClosed: NOT_ENABLED}
DOCUMENTED = Documented(
    description="One JSON object in, one out; code 0 where a call succeeded.",
    schemes=signature.SCHEMES,
    alternatives=signature.ALTERNATIVES,
    error=codes.Error,
    errors=codes.errors_of(
        {
            "auth/access-token/issue": {
                codes.QUOTA: "no place is free: the text says how to free some."
            }
        },
        not_enabled=NOT_ENABLED,
    ),
)


class Done(Schema):
    code: Literal[0] = 0


class Answer(Done, Generic[R]):
    """Exactly these keys: one of the SDKs refuses any other."""

    result: R
