"""Request bodies of Agora Chat's clients: JSON, under several Content-Types."""

import json
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest
from ninja.parser import Parser

from api.agora import wire
from api.agora.wire import Refused

FORM = "application/x-www-form-urlencoded"
# Clients that send JSON declare it, or nothing, or their HTTP library's default.
JSON_TYPES = {"", "application/json", FORM, "text/plain"}


class JSONBody(Parser):
    """Parses JSON; the first byte decides. The token call also takes a form."""

    def parse_body(self, request: HttpRequest) -> Any:
        if (request.content_type or "") not in JSON_TYPES:
            raise Refused(wire.MEDIA_TYPE)
        is_form = request.content_type == FORM and request.body.lstrip()[:1] not in {b"{", b"["}
        if is_form and request.call.name == "POST token":  # type: ignore[attr-defined]
            return form(request)
        try:
            return json.loads(request.body.decode(), parse_constant=_no_number)
        except RecursionError:
            raise Refused(wire.NOT_JSON, reason="nested too deep") from None
        except ValueError as error:
            raise Refused(wire.NOT_JSON, reason=error) from None


def form(request: HttpRequest) -> dict[str, str]:
    """A form's fields. Raises `Refused`."""
    try:
        return dict(
            parse_qsl(
                request.body.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
            )
        )
    except ValueError:
        raise Refused(wire.INVALID) from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
