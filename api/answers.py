"""What a call is answered with, before a door puts it into WSGI's form or Django's.

Django's `HttpResponse` has charsets, cookies and headers in any case, which a call never uses and
which take a tenth of its time.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

JSON = "application/json; charset=utf-8"


class Answer:
    """`headers` have no line breaks: what goes into them is ours or cleaned."""

    __slots__ = ("content", "headers", "status")

    def __init__(
        self, content: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.content, self.status = content, status
        self.headers = {"Content-Type": JSON} if headers is None else dict(headers)

    @classmethod
    def of(cls, data: Mapping[str, Any], *, status: int) -> "Answer":
        return cls(json.dumps(data).encode(), status=status)

    @property
    def reason(self) -> str:
        return _REASONS.get(self.status, "Unknown Status Code")

    def as_response(self) -> HttpResponse:
        response = HttpResponse(self.content, status=self.status)
        del response["Content-Type"]  # Django's default
        for name, text in self.headers.items():
            response[name] = text
        return response


_REASONS = {status.value: status.phrase for status in HTTPStatus}
