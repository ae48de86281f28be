"""Nexconn's envelope and its error table. Its bodies are JSON objects: see `bodies`.

Decided here: Nexconn's table has no codes for a wrong type, too many items and a body that is too
large. The first two are 1002, like any wrong parameter; the last is 1005, like anything too long.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, TypeVar

from ninja.errors import ValidationError
from pydantic import BaseModel

from api import codes, signature
from api.codes import Refusal
from api.vendor import Documented

R = TypeVar("R")

INVALID_MINUTES = Refusal(1003, 400)
_REPLACED = {
    codes.WRONG_TYPE: codes.PARAMETER,
    codes.TOO_MANY: codes.PARAMETER,
    codes.TOO_LARGE: codes.TOO_LONG,
}


def _validation_refusal(error: ValidationError) -> Refusal:
    found, first = codes.validation_refusal(error), error.errors[0]
    if first["loc"][-1] == "durationMinutes" and first["type"] != "missing":
        return replace(found, code=INVALID_MINUTES.code)
    return found


REFUSALS = codes.replace_codes(_REPLACED, {**codes.REFUSALS, ValidationError: _validation_refusal})
DOCUMENTED = Documented(
    description="Requests and responses are JSON objects. Code 0 means success.",
    schemes=signature.SCHEMES,
    alternatives=signature.ALTERNATIVES,
    error=codes.Error,
    registers=("auth/access-token/issue",),
    errors=codes.errors_by_call(
        codes.ANY_CALL,
        {
            "auth/access-token/issue": {
                codes.QUOTA: "the quota is full. The text says how to free places."
            },
            "user/ban": {INVALID_MINUTES: "`durationMinutes` is not a number from 1 to 43,200."},
        },
        replacements=_REPLACED,
    ),
)


class Done(BaseModel):
    code: Literal[0] = 0


class Success(Done, Generic[R]):
    """Exactly these keys: one of the SDKs refuses any others."""

    result: R


def response_schema(schema: type[BaseModel] | None) -> Any:
    return Done if schema is None else Success[schema]  # type: ignore[valid-type]


def envelope(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"result": content}
