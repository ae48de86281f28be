"""Tables of calls: the path, the function, and the schemas of request and response.

Invariants
----------
* The fields of the request schema are the function's arguments, by name; the vendor's names are
  their aliases. If they do not match, the import fails.
* If a vendor limits users instead of calls, the users named in a call are counted before it runs.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ninja import Body, Router
from pydantic import BaseModel

from api.ratelimit import Limits
from api.vendor import Request, VendorAPI

# The names of a vendor's modules in its document.
SUBJECTS = {
    "users": "Users",
    "moderation": "Moderation",
    "profiles": "Hosted profiles",
    "friends": "Friends",
    "push": "Push notices",
}
# The arguments that may name many users; the first one present counts.
_LISTS_OF_USERS = ("target_ids", "user_ids")


@dataclass(frozen=True)
class Call:
    """`function` is called with the caller and the request's fields. Without `response`, a success
    has no content.
    """

    path: str
    function: Callable[..., Mapping[str, Any] | None]
    request: type[BaseModel]
    response: type[BaseModel] | None = None
    # Overrides the dialect's `body`.
    body: Any = None


@dataclass(frozen=True)
class Dialect:
    """The format of a vendor's requests and responses."""

    body: Any  # ninja.Form or ninja.Body
    # Put a response's schema, or None, and its content into the vendor's envelope.
    response_schema: Callable[[type[BaseModel] | None], Any]
    envelope: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    limits: Limits

    def fill(self, api: VendorAPI, *subjects: ModuleType) -> None:
        """Add the `CALLS` of each module."""
        for module in subjects:
            subject = SUBJECTS[module.__name__.rpartition(".")[2]]
            api.add_router("", self._router(subject, module.CALLS))

    def _router(self, subject: str, table: Iterable[Call]) -> Router:
        router = Router(tags=[subject])
        for call in table:
            # Raises `TypeError` if the fields do not match the arguments.
            inspect.signature(call.function).bind(None, **dict.fromkeys(call.request.model_fields))
            router.post(
                call.path,
                response=self.response_schema(call.response),
                by_alias=True,
                exclude_none=True,
            )(self._view(call))
        return router

    def _view(self, call: Call) -> Callable[..., Any]:
        def view(request: Request, body: Any) -> Mapping[str, Any]:
            given = dict(body)
            self.limits.count_users(request.auth, _number_of_users(given))
            return self.envelope(call.function(request.auth, **given) or {})

        view.__name__ = call.path
        view.__doc__ = call.function.__doc__
        # So that `inspect.unwrap` finds the function.
        view.__wrapped__ = call.function  # type: ignore[attr-defined]
        body = call.body or self.body
        required = any(field.is_required() for field in call.request.model_fields.values())
        default = call.request() if body is Body and not required else inspect.Parameter.empty
        view.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_parameter("request", Request), _parameter("body", body[call.request], default)]
        )
        return view


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def _number_of_users(given: Mapping[str, Any]) -> int:
    return next((len(given[name]) for name in _LISTS_OF_USERS if given.get(name)), 1)
