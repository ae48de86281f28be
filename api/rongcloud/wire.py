"""RongCloud's bodies, its envelope, and its error table.

Decided here: a call that is for development alone is 1007 in production.
"""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja import Schema
from ninja.errors import HttpError, ValidationError

from api import codes, signature
from api.codes import Refusal
from api.vendor import Documented, UnreadableBody, VendorAPI
from users.deletion import NotInProduction

# In bytes: the manual wants less than 100 k.
MAX_BODY = 102_399


class DevelopmentOnly(Exception):
    """The vendor has this call for development environments alone."""

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
    description="Forms in, JSON out; code 200 where a call succeeded. Ids may be repeated; "
    "where a call takes up to 100, also joined by commas.",
    schemes=signature.SCHEMES,
    alternatives=signature.ALTERNATIVES,
    error=codes.Error,
    errors=codes.errors_of(
        {**codes.ANY_CALL, NO_PARAMETERS: "no parameters were posted, and some are required."},
        {
            "user/getToken": {codes.QUOTA: "no place is free: the text says how to free some."},
            "user/query": _DEVELOPMENT_ONLY,
            "user/delusers": _DEVELOPMENT_ONLY,
        },
    ),
)


class Done(Schema):
    """Success; further answers add their fields."""

    code: Literal[200] = 200


def success(answers: type[Schema] | None) -> Any:
    return answers or Done


def succeed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return answer


def form(body: bytes) -> "MultiValueDict[str, str]":
    """The parameters of a body, percent-encoded or raw UTF-8. An empty one counts as not sent.

    Raises `UnreadableBody`.
    """
    parameters: MultiValueDict[str, str] = MultiValueDict()
    try:
        pairs = parse_qsl(
            body.decode(), errors="strict", max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        )
    except UnicodeDecodeError:
        raise UnreadableBody("The body is not UTF-8") from None
    except ValueError:
        raise UnreadableBody("The body has too many parameters") from None
    for name, value in pairs:
        parameters.appendlist(name, value)
    return parameters
