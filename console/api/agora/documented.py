"""What Agora Chat's OpenAPI document says beyond the calls themselves."""

from collections.abc import Sequence
from typing import Any

from ninja import Schema

from console.api.vendor import Documented, ErrorAnswer


class Error(Schema):
    """A refusal. Some say which exception it was; those about attributes repeat the text."""

    error: str
    error_description: str
    timestamp: int
    duration: int
    exception: str = ""
    desc: str = ""


_ERRORS = (
    ErrorAnswer(400, "illegal_argument", "what was asked is wrong; other words say how."),
    ErrorAnswer(401, "unauthorized", "the token is missing, not for this, or opens nothing."),
    ErrorAnswer(403, "forbidden_op", "not in this environment, or a limit is reached."),
    ErrorAnswer(404, "service_resource_not_found", "no such user, app or call."),
    ErrorAnswer(405, "unsupported_service_operation", "the path takes another method."),
    ErrorAnswer(413, "Request Entity Too Large", "the body is too large."),
    ErrorAnswer(415, "web_application", "the body is declared as what no call takes."),
    ErrorAnswer(429, "reach_limit", "more of this call than a second allows, or no place is free."),
    ErrorAnswer(500, "internal_server_error", "something broke here; the log knows what."),
)


def _errors(call_name: str) -> Sequence[ErrorAnswer]:
    return _ERRORS


_SCHEMES: dict[str, dict[str, Any]] = {
    "Token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An AccessToken2, or one of POST token: of the app, or of a user for "
        "what is the user's own. To ask for a token, or register where that is open, needs none.",
    }
}

DOCUMENTED = Documented(
    description="JSON in, JSON in an envelope out. Every path begins with the application's org "
    "name and the environment's kind, or with app-id and the app key.",
    schemes=_SCHEMES,
    alternatives=(("Token",), ()),
    error=Error,
    errors=_errors,
    base="/{org_name}/{app_name}",
    examples={"org_name": "chirp", "app_name": "development"},
)
