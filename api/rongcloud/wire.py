"""RongCloud's bodies, its envelope, and its error table.

Decided here: a call for development environments returns 1007 in production.
"""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel

from api import codes, signature
from api.codes import Refusal
from api.vendor import Documented, UnreadableBody, VendorAPI
from users.deletion import NotInProduction

# Bytes: the manual says less than 100 KB.
MAX_BODY = 102_399


class DevelopmentOnly(Exception):
    """The call works in development environments alone."""

    def __init__(self) -> None:
        super().__init__("This call is for development environments")


class EmptyBody(Exception):
    """Nothing was posted to a call that has required parameters."""

    def __init__(self) -> None:
        super().__init__("No parameters were posted")


class API(VendorAPI):
    def on_exception(self, request: HttpRequest, exc: Any) -> NoReturn:
        if isinstance(exc, ValidationError | HttpError) and not request.body:
            raise EmptyBody from exc
        super().on_exception(request, exc)


NO_PARAMETERS = Refusal(1003, 400)
NOT_ALLOWED = Refusal(1007, 401)
REFUSALS = {
    **codes.REFUSALS,
    EmptyBody: NO_PARAMETERS,
    DevelopmentOnly: NOT_ALLOWED,
    NotInProduction: NOT_ALLOWED,
}
_DEVELOPMENT_ONLY = {NOT_ALLOWED: "the environment is a production environment."}
DOCUMENTED = Documented(
    description="Requests are forms, responses are JSON. Code 200 means success. Ids may be "
    "repeated; in calls that take up to 100 they may also be joined by commas.",
    schemes=signature.SCHEMES,
    alternatives=signature.ALTERNATIVES,
    error=codes.Error,
    registers=("user/getToken",),
    errors=codes.errors_by_call(
        {**codes.ANY_CALL, NO_PARAMETERS: "no parameters were posted, but the call requires some."},
        {
            "user/getToken": {codes.QUOTA: "the quota is full. The text says how to free places."},
            "user/query": _DEVELOPMENT_ONLY,
            "user/delusers": _DEVELOPMENT_ONLY,
        },
    ),
)


class Done(BaseModel):
    """A success; other responses add fields."""

    code: Literal[200] = 200


def response_schema(schema: type[BaseModel] | None) -> Any:
    return schema or Done


def envelope(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return content


def form(body: bytes) -> "MultiValueDict[str, str]":
    """The parameters of a body, percent-encoded or raw UTF-8. An empty parameter counts as not
    sent. Raises `UnreadableBody`.

    The same as `urllib.parse.parse_qsl`, which takes as long as a tenth of a call.
    """
    parameters: dict[str, list[str]] = {}
    try:
        pairs = body.decode().split("&")
        for pair in pairs:
            name, _, value = pair.partition("=")
            if value:
                parameters.setdefault(_unquoted(name), []).append(_unquoted(value))
    except UnicodeDecodeError:
        raise UnreadableBody("The body is not UTF-8") from None
    if len(pairs) > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        raise UnreadableBody("The body has too many parameters")
    return MultiValueDict(parameters)


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
