"""The vendors of the Server API, as domain and pages see them.

Invariants
----------
* Domain and pages use only what a vendor provides here, and never name a vendor.
  `settings.API_VENDORS` lists the vendors; if it is empty, the rest works without them.
* The settings of a vendor in an environment are one document under the vendor's name
  (`Environment.vendor_settings`). Only the vendor's own class validates and reads it. It holds what
  differs from the vendor's defaults.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError
from pydantic.fields import FieldInfo

from applications.models import AppSecret, Environment
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
    """Settings of a vendor in an environment. Subclasses add switches (`StrictBool`), texts (`str`)
    or values of a `TextChoices`; a field's `title` is the label on the page, its `description` the
    help.
    """

    # Ignore settings that another version has stored.
    model_config = ConfigDict(frozen=True, extra="ignore")

    # Call → calls per second, if not the vendor's default. It has its own page.
    rate_limits: dict[str, Annotated[StrictInt, Field(ge=1, le=MAX_RATE_LIMIT)]] = {}

    @classmethod
    def choices(cls) -> dict[str, FieldInfo]:
        """The fields of the settings page."""
        shared = VendorSettings.model_fields
        return {name: each for name, each in cls.model_fields.items() if name not in shared}

    @classmethod
    def of(cls, environment: Environment, vendor: str) -> Self:
        document = environment.vendor_settings.get(vendor)
        return cls.model_validate(document) if document else _defaults(cls)


_Settings = TypeVar("_Settings", bound=VendorSettings)


@cache
def _defaults(settings_class: type[_Settings]) -> _Settings:
    return settings_class()


@dataclass(frozen=True)
class Limit:
    """Calls per second; or users per second, if a call may name many users."""

    per_second: int
    of_users: bool = False


class Occasion(StrEnum):
    """What a page shows sample code for."""

    START = "start"
    REGISTER = "register"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"


class Act(StrEnum):
    """What staff do here and app servers do by API. With what each takes beside `user_id`."""

    REGISTER = "register"  # name
    UPDATE = "update"  # name, avatar_url
    DELETE = "delete"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    EXPIRE_TOKENS = "expire tokens"  # milliseconds, of Unix time
    KICK = "kick"
    BAN = "ban"  # minutes
    LIFT = "lift"
    MUTE = "mute"  # direct messages, without an end
    UNMUTE = "unmute"
    BLOCK = "block"  # other_id
    UNBLOCK = "unblock"  # other_id
    ALLOW = "allow"  # other_id
    DISALLOW = "disallow"  # other_id
    ALLOWLIST_ON = "allowlist on"
    ALLOWLIST_OFF = "allowlist off"
    BEFRIEND = "befriend"  # other_id
    UNFRIEND = "unfriend"  # other_id
    PERMIT_FRIENDS = "permit friends"  # permission: 1 anyone, 2 after approval, 3 nobody


@dataclass(frozen=True)
class SameCall:
    """A call that does the same as an act. `call` is its name; `values`: its parameter or field →
    what the act takes; `fixed`: its field → what it always is. `note` says how it differs; "": it
    does not.
    """

    call: str
    values: Mapping[str, str]
    note: str = ""
    fixed: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Snippet:
    """Sample code. The templates get `environment`, `host`, `secret`; except for `START` also
    `user_id`; for `REGISTER` also `name`.
    """

    title: str
    template: str
    # A note below the code; "": none.
    below: str = ""


@dataclass(frozen=True)
class WebClient:
    """A web SDK of the vendor that connects to the gateway, for the console's test clients."""

    # Its name on pages.
    title: str
    # A static file: the script that runs the SDK. `static/web-clients/frame.js` describes it.
    script: str
    # An address of the SDK that works.
    sample: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Vendor(ABC):
    """One vendor of the Server API."""

    # Identifies it in paths of the console, in the log, the audit trail and the database.
    name: str
    # Its name on pages.
    title: str
    settings: type[VendorSettings] = VendorSettings
    # First segments of its paths; no application can have one of them as its `org_name`.
    path_words: frozenset[str] = frozenset()
    # The format of its webhooks, if it has some.
    webhook_format: Format | None = None
    # Whether it has calls that delete users in production, once an owner has unlocked them.
    deletes_in_production: bool = False
    snippets: Mapping[Occasion, Sequence[Snippet]] = field(default_factory=dict)
    # What has no call of this vendor is left out.
    same_calls: Mapping[Act, SameCall] = field(default_factory=dict)
    web_client: WebClient | None = None
    # The headers with which whoever has a secret proves it, for a call at this moment.
    credentials: Callable[[AppSecret, datetime], Mapping[str, str]] | None = None

    @property
    @abstractmethod
    def call_limits(self) -> Mapping[str, Limit]:
        """Name of each call → the vendor's default limit."""

    def shown_refusal(self, error: Exception) -> tuple[int, str] | None:
        """HTTP status and body with which its calls answer this exception; None if no call raises
        it.
        """
        return None

    @property
    @abstractmethod
    def document(self) -> dict[str, Any]:
        """The OpenAPI document. Callers must not change it."""


def vendors() -> tuple[Vendor, ...]:
    """The vendors of `settings.API_VENDORS`. Imported on the first call: they import models."""
    return _loaded(tuple(settings.API_VENDORS))


@cache
def _loaded(paths: tuple[str, ...]) -> tuple[Vendor, ...]:
    return tuple(import_string(path) for path in paths)


def path_words() -> set[str]:
    """First segments of all vendors' paths."""
    return {word for vendor in vendors() for word in vendor.path_words}


def merged(stored: Documents, wanted: Documents) -> dict[str, dict[str, Any]]:
    """The documents to store, with these settings changed. Raises `InvalidSetting`."""
    documents = {name: dict(document) for name, document in stored.items()}
    known = {vendor.name: vendor for vendor in vendors()}
    for name, changes in wanted.items():
        if name not in known:
            raise InvalidSetting(name, gettext("No such vendor."))
        document = _validated(known[name], {**documents.pop(name, {}), **changes}, changes)
        if document:
            documents[name] = document
    return documents


def _validated(vendor: Vendor, document: dict[str, Any], changed: Iterable[str]) -> dict[str, Any]:
    for setting in changed:
        if setting not in vendor.settings.model_fields:
            raise InvalidSetting(full_name(vendor.name, setting), gettext("No such setting."))
    if "rate_limits" in changed and (
        unknown := sorted(document["rate_limits"].keys() - vendor.call_limits.keys())
    ):
        raise InvalidSetting(
            full_name(vendor.name, "rate_limits"),
            gettext("No such call: {value}").format(value=unknown[0]),
        )
    try:
        chosen = vendor.settings.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidSetting(full_name(vendor.name, str(first["loc"][0])), first["msg"]) from None
    return chosen.model_dump(mode="json", exclude_defaults=True)


def in_force(stored: Documents, names: Iterable[str]) -> dict[str, Any]:
    """Full name → value of each setting of these vendors, defaults included."""
    return {
        full_name(vendor.name, setting): value
        for vendor in vendors()
        if vendor.name in names
        for setting, value in vendor.settings.model_validate(stored.get(vendor.name, {}))
        .model_dump(mode="json")
        .items()
    }


def complete(documents: Documents) -> dict[str, dict[str, Any]]:
    """The documents with all defaults filled in, to replace all settings at once."""
    return {
        vendor.name: {
            **vendor.settings().model_dump(mode="json"),
            **documents.get(vendor.name, {}),
        }
        for vendor in vendors()
    }


def full_name(vendor: str, setting: str) -> str:
    """The name of a vendor's setting among those of an environment."""
    return f"{vendor}_{setting}"
