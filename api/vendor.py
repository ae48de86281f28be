"""What a vendor's folder gives to its door, and what a door gives to a vendor's calls.

A further vendor is a further folder that ends in one `Vendor`, and a line in `API_VENDORS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypedDict

from django.http import HttpRequest
from django.urls import ResolverMatch, URLResolver
from django.urls.resolvers import RegexPattern
from ninja import NinjaAPI
from pydantic import BaseModel

from api import documents, operations
from api.answers import Answer
from applications import vendors
from applications.audit import Actor
from applications.models import AppSecret, Environment

if TYPE_CHECKING:
    from api.ratelimit import Limits


class WrongMethod(Exception):
    """The path is known, its method is another."""

    def __init__(self, allowed: str):
        super().__init__(f"This call takes {allowed}")
        self.allowed = allowed


class UnreadableBody(Exception):
    """The body is not what the vendor's calls are written in; the text says why."""


class DatabaseLost(Exception):
    """The database is away: the same call may succeed soon."""

    def __init__(self) -> None:
        super().__init__("The database cannot be reached just now")


class Crashed(Exception):
    """Something broke here; the log knows what."""

    def __init__(self) -> None:
        super().__init__("Internal error")


class Call(NamedTuple):
    """One call, as its door sees it. `now` is the moment for all that it does."""

    vendor: str
    name: str
    request_id: str
    now: datetime
    # The text of the header of `api.leases`.
    lease: str = ""


class WhoAndWhen(TypedDict):
    environment: Environment
    by: Actor
    now: datetime


@dataclass(frozen=True)
class Caller:
    """Who calls: the environment that proved itself, and the name for the audit trail."""

    environment: Environment
    actor: Actor
    call: Call

    @property
    def now(self) -> datetime:
        return self.call.now

    @property
    def who_and_when(self) -> WhoAndWhen:
        """What every verb of the domain asks for, to be spread into its arguments."""
        return {"environment": self.environment, "by": self.actor, "now": self.now}


class Request(HttpRequest):
    """For annotations alone: what a vendor's call finds on its request."""

    call: Call
    auth: Caller
    # For the request log: a live secret of the environment that is called, and whether the caller
    # has proved to hold this one.
    called: AppSecret | None
    is_signed: bool


class VendorAPI(NinjaAPI):
    """Ninja routes and validates; every refusal is put into words at the door, in one place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_decorator(operations.compiled, mode="view")

    def on_exception(self, request: HttpRequest, exc: Any) -> NoReturn:
        raise exc


@dataclass(frozen=True)
class ErrorAnswer:
    """One of the ways in which a call is refused."""

    status: int
    code: int | str
    meaning: str


@dataclass(frozen=True)
class Documented:
    """What a vendor's OpenAPI document says beyond what Ninja knows of the schemas."""

    description: str
    # Name → security scheme, and which of them together prove a caller; each line is enough.
    schemes: Mapping[str, Mapping[str, str]]
    alternatives: Sequence[Sequence[str]]
    # What a refusal's body looks like, which member of it is the code, and a call's refusals by its
    # name.
    error: type[BaseModel]
    errors: Callable[[str], Sequence[ErrorAnswer]]
    error_code: str = "code"
    # Names of the calls that register users, which take the header of `api.leases`.
    registers: Sequence[str] = ()
    # What stands before every path, and an example for each {name} in it.
    base: str = "/"
    examples: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Vendor(vendors.Vendor):
    """One vendor's dialect."""

    # Whether a path, in segments, is for this vendor.
    owns: Callable[[Sequence[str]], bool]
    api: VendorAPI
    # The vendor's name of a call, from method and route.
    call_name: Callable[[str, str], str]
    limits: "Limits"
    # The app key that a request claims, for the log.
    claimed_key: Callable[[HttpRequest], str]
    # Every anticipated exception, with what `refuse` makes an answer of. Crashed and DatabaseLost
    # are among them.
    refusals: Mapping[type[Exception], Any]
    refuse: Callable[[Any, Exception], Answer]
    documented: Documented
    # Whether a request is for this vendor that neither a vendor's path nor a page answers.
    claims: Callable[[HttpRequest], bool] = lambda request: False
    # The largest body in bytes, where the vendor's is smaller than the installation's.
    max_body: int | None = None
    # Second spellings of paths, without the leading slash.
    aliases: Mapping[str, str] = field(default_factory=dict)
    # How many segments of a path say whose call it is, before those that say which.
    tenant_segments: int = 0
    # Whether the vendor's web SDK calls from pages of any origin (`api.cross_origin`).
    cross_origin: bool = False

    @cached_property
    def _resolver(self) -> URLResolver:
        return URLResolver(RegexPattern(r"^/"), self.api.urls[0])

    @cached_property
    def _fixed(self) -> dict[str, ResolverMatch]:
        """Path without parameters → its match, once it was called."""
        return {}

    def resolve(self, segments: Sequence[str]) -> ResolverMatch:
        """Raises `django.urls.Resolver404`."""
        path = "/".join(segments[self.tenant_segments :])
        match = self._fixed.get(path)
        if match is None:
            match = self._resolver.resolve("/" + self.aliases.get(path, path))
            if not match.kwargs:
                self._fixed[path] = match
        return match

    @cached_property
    def calls(self) -> list[str]:
        """The names of all calls, in the order of the routes."""
        paths = self.api.get_openapi_schema(path_prefix="")["paths"]
        return [
            self.call_name(method.upper(), path.lstrip("/").translate({123: "<", 125: ">"}))
            for path, operations in paths.items()
            for method in operations
        ]

    @cached_property
    def call_limits(self) -> Mapping[str, vendors.Limit]:
        return {call: self.limits.of(call) for call in self.calls}

    @property
    def document(self) -> dict[str, Any]:
        return documents.of(self)

    def shown_refusal(self, error: Exception) -> tuple[int, str] | None:
        answer = self.refusal(error)
        return None if answer is None else (answer.status, answer.content.decode())

    def refusal(self, error: Exception) -> Answer | None:
        """The vendor's words for an exception; None when nobody anticipated it."""
        for kind in type(error).__mro__:
            if kind in self.refusals:
                return self.refuse(self.refusals[kind], error)
        return None
