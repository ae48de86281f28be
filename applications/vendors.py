"""The vendors whose Server API is spoken, as the rest of the house knows them.

Invariants
----------
* Law and pages know a vendor by what it gives here, and none by its name. `settings.API_VENDORS`
  says where they are; where it is empty, all the rest works without them.
* What a vendor lets an environment choose is one document under the vendor's name
  (`Environment.vendor_settings`). The vendor's own class validates it, and nobody else reads it. It
  holds what differs from the vendor's defaults.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError
from pydantic.fields import FieldInfo

from applications.models import Environment
from applications.webhook_formats import Format

MAX_RATE_LIMIT = 100_000

# Vendor → setting → value.
Documents = Mapping[str, Mapping[str, Any]]


class InvalidSetting(Exception):
    """A setting out of its bounds; `name` names it."""

    def __init__(self, name: str, message: str):
        super().__init__(message)
        self.name = name


class VendorSettings(BaseModel):
    """What a vendor lets an environment choose. Further ones are switches (`StrictBool`), or words
    of a `TextChoices`; `title` is the label on the page, `description` the help.
    """

    # What an older version has stored and this one does not know is passed over.
    model_config = ConfigDict(frozen=True, extra="ignore")

    # Call → per second, where not the vendor's own number. It has a page of its own.
    rate_limits: dict[str, Annotated[StrictInt, Field(ge=1, le=MAX_RATE_LIMIT)]] = {}

    @classmethod
    def choices(cls) -> dict[str, FieldInfo]:
        """What the settings page offers."""
        shared = VendorSettings.model_fields
        return {name: each for name, each in cls.model_fields.items() if name not in shared}

    @classmethod
    def of(cls, environment: Environment, vendor: str) -> Self:
        document = environment.vendor_settings.get(vendor)
        return cls.model_validate(document) if document else _defaults(cls)


_Settings = TypeVar("_Settings", bound=VendorSettings)


@cache
def _defaults(of: type[_Settings]) -> _Settings:
    return of()


@dataclass(frozen=True)
class Limit:
    """So many calls a second; or, where a call may name many users, so many users."""

    per_second: int
    of_users: bool = False


class Occasion(StrEnum):
    """Where a page shows people how their app server does something."""

    START = "start"
    REGISTER = "register"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"


@dataclass(frozen=True)
class Snippet:
    """Code to copy. The templates get `environment`, `host`, `secret`, and on all occasions but the
    start `user_id`, to register also `name`.
    """

    title: str
    template: str
    # What stands below the code; "": nothing.
    below: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Vendor(ABC):
    """One vendor of the Server API."""

    # In paths of the console, in the log, the audit trail, and in what is stored.
    name: str
    # As people know it.
    title: str
    settings: type[VendorSettings] = VendorSettings
    # First words of its paths, which no application can have for its own.
    path_words: frozenset[str] = frozenset()
    # How its webhooks are written, where it has some.
    webhook_format: Format | None = None
    # Whether it has calls that delete users in production as well, once owners let them through.
    deletes_in_production: bool = False
    snippets: Mapping[Occasion, Sequence[Snippet]] = field(default_factory=dict)

    @property
    @abstractmethod
    def call_limits(self) -> Mapping[str, Limit]:
        """Every call, by its name, with the vendor's own limit."""

    @property
    @abstractmethod
    def document(self) -> dict[str, Any]:
        """The OpenAPI document, not to be changed."""


def vendors() -> tuple[Vendor, ...]:
    """Those of `settings.API_VENDORS`. Loaded when first asked, for they stand upon the models."""
    return _loaded(tuple(settings.API_VENDORS))


@cache
def _loaded(paths: tuple[str, ...]) -> tuple[Vendor, ...]:
    return tuple(import_string(path) for path in paths)


def path_words() -> set[str]:
    """First words of paths that are some vendor's."""
    return {word for vendor in vendors() for word in vendor.path_words}


def merged(stored: Documents, wanted: Documents) -> dict[str, dict[str, Any]]:
    """The documents with these settings changed, as they are to be stored. Raises
    `InvalidSetting`.
    """
    documents = {name: dict(document) for name, document in stored.items()}
    known = {vendor.name: vendor for vendor in vendors()}
    for name, changes in wanted.items():
        if name not in known:
            raise InvalidSetting(name, "No such vendor.")
        document = _validated(known[name], {**documents.pop(name, {}), **changes}, changes)
        if document:
            documents[name] = document
    return documents


def _validated(vendor: Vendor, document: dict[str, Any], changed: Iterable[str]) -> dict[str, Any]:
    for setting in changed:
        if setting not in vendor.settings.model_fields:
            raise InvalidSetting(full_name(vendor.name, setting), "No such setting.")
    if "rate_limits" in changed and (
        unknown := sorted(document["rate_limits"].keys() - vendor.call_limits.keys())
    ):
        raise InvalidSetting(full_name(vendor.name, "rate_limits"), f"No such call: {unknown[0]}")
    try:
        chosen = vendor.settings.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidSetting(full_name(vendor.name, str(first["loc"][0])), first["msg"]) from None
    return chosen.model_dump(mode="json", exclude_defaults=True)


def in_force(stored: Documents, names: Iterable[str]) -> dict[str, Any]:
    """The settings of these vendors, by their full names, defaults included."""
    return {
        full_name(vendor.name, setting): value
        for vendor in vendors()
        if vendor.name in names
        for setting, value in vendor.settings.model_validate(stored.get(vendor.name, {}))
        .model_dump(mode="json")
        .items()
    }


def complete(documents: Documents) -> dict[str, dict[str, Any]]:
    """The documents with their defaults written out: to set all that there is, at once."""
    return {
        vendor.name: {
            **vendor.settings().model_dump(mode="json"),
            **documents.get(vendor.name, {}),
        }
        for vendor in vendors()
    }


def full_name(vendor: str, setting: str) -> str:
    """Of a vendor's setting, among those of an environment."""
    return f"{vendor}_{setting}"
