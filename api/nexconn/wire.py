"""Nexconn's envelope, and its error table. Its bodies are JSON objects: see `bodies`.

Decided here: its table knows no codes for a wrong type, for too many items and for a body too
large. The first two are 1002, as any wrong parameter, the last is 1005, as anything too long.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, TypeVar

from ninja import Schema
from ninja.errors import ValidationError

from api import codes, signature
from api.codes import Refusal
from api.vendor import Documented

R = TypeVar("R")

INVALID_MINUTES = Refusal(1003, 400)
_INSTEAD = {
    codes.WRONG_TYPE: codes.PARAMETER,
    codes.TOO_MANY: codes.PARAMETER,
    codes.TOO_LARGE: codes.TOO_LONG,
}


def _of_validation(error: ValidationError) -> Refusal:
    found, first = codes.of_validation(error), error.errors[0]
    if first["loc"][-1] == "durationMinutes" and first["type"] != "missing":
        return replace(found, code=INVALID_MINUTES.code)
    return found


REFUSALS = codes.in_codes_of(_INSTEAD, {**codes.REFUSALS, ValidationError: _of_validation})
DOCUMENTED = Documented(
    description="One JSON object in, one out; code 0 where a call succeeded.",
    schemes=signature.SCHEMES,
    alternatives=signature.ALTERNATIVES,
    error=codes.Error,
    errors=codes.errors_of(
        codes.ANY_CALL,
        {
            "auth/access-token/issue": {
                codes.QUOTA: "no place is free: the text says how to free some."
            },
            "user/ban": {INVALID_MINUTES: "`durationMinutes` is no number from 1 to 43,200."},
        },
        instead=_INSTEAD,
    ),
)


class Done(Schema):
    code: Literal[0] = 0


class Answer(Done, Generic[R]):
    """Exactly these keys: one of the SDKs refuses any other."""

    result: R


def success(answers: type[Schema] | None) -> Any:
    return Done if answers is None else Answer[answers]  # type: ignore[valid-type]


def succeed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"result": answer}
