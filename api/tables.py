"""Calls from tables: where a call lies, what it does, and in which words it is asked and answered.

Invariants
----------
* The fields of what is asked are the arguments of the call, by name; the vendor's words are their
  aliases. A table that does not fit its calls does not import.
* Where a vendor limits users and not calls, those named in a call are counted before it is made.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ninja import Body, Router, Schema

from api.ratelimit import Limits
from api.vendor import Request, VendorAPI

# A vendor's modules, and their names in its document.
SUBJECTS = {
    "users": "Users",
    "moderation": "Moderation",
    "profiles": "Hosted profiles",
    "friends": "Friends",
    "push": "Push notices",
}
# In this order, the arguments that may name many users.
_MANY = ("target_ids", "user_ids")


@dataclass(frozen=True)
class Call:
    """`does` is called with the caller and what was asked. Without `answers`, it only succeeds."""

    path: str
    does: Callable[..., Mapping[str, Any] | None]
    asks: type[Schema]
    answers: type[Schema] | None = None
    # In place of the vendor's usual form or JSON.
    takes: Any = None


@dataclass(frozen=True)
class Dialect:
    """How a vendor's calls are asked and answered, whatever they are about."""

    takes: Any  # ninja.Form or ninja.Body
    # The schema of a success, from that of an answer or None; and the success itself.
    success: Callable[[type[Schema] | None], Any]
    succeed: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    limits: Limits

    def fill(self, api: VendorAPI, *subjects: ModuleType) -> None:
        """Add what each module has in its `CALLS`."""
        for module in subjects:
            subject = SUBJECTS[module.__name__.rpartition(".")[2]]
            api.add_router("", self._router(subject, module.CALLS))

    def _router(self, subject: str, table: Iterable[Call]) -> Router:
        router = Router(tags=[subject])
        for call in table:
            # Raises `TypeError` where the words do not fit the call.
            inspect.signature(call.does).bind(None, **dict.fromkeys(call.asks.model_fields))
            router.post(
                call.path,
                response=self.success(call.answers),
                by_alias=True,
                exclude_none=True,
            )(self._view(call))
        return router

    def _view(self, call: Call) -> Callable[..., Any]:
        def view(request: Request, body: Any) -> Mapping[str, Any]:
            given = {name: getattr(body, name) for name in call.asks.model_fields}
            self.limits.count_users(request.auth, _users_in(given))
            return self.succeed(call.does(request.auth, **given) or {})

        view.__name__ = call.path
        view.__doc__ = call.does.__doc__
        # For whoever asks what the view does.
        view.__wrapped__ = call.does  # type: ignore[attr-defined]
        takes = call.takes or self.takes
        required = any(field.is_required() for field in call.asks.model_fields.values())
        nothing = call.asks() if takes is Body and not required else inspect.Parameter.empty
        view.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_parameter("request", Request), _parameter("body", takes[call.asks], nothing)]
        )
        return view


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def _users_in(given: Mapping[str, Any]) -> int:
    return next((len(given[name]) for name in _MANY if given.get(name)), 1)
