"""RongCloud's bodies, its envelope, and its error table."""

from typing import Literal
from urllib.parse import parse_qsl

from django.conf import settings
from django.utils.datastructures import MultiValueDict
from ninja import Schema

from api import codes, signature
from api.vendor import Documented, UnreadableBody

REFUSALS = codes.REFUSALS
_DEVELOPMENT_ONLY = {codes.NOT_ALLOWED: "the environment is a production environment."}
DOCUMENTED = Documented(
    description="Forms in, JSON out; code 200 where a call succeeded. Ids may be repeated; "
    "where a call takes up to 100, also joined by commas.",
    schemes=signature.SCHEMES,
    alternatives=signature.ALTERNATIVES,
    error=codes.Error,
    errors=codes.errors_of(
        {
            "user/getToken": {codes.QUOTA: "no place is free: the text says how to free some."},
            "user/query": _DEVELOPMENT_ONLY,
            "user/delusers": _DEVELOPMENT_ONLY,
        }
    ),
)


class Done(Schema):
    """Success; further answers add their fields."""

    code: Literal[200] = 200


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
