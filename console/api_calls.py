"""The same by API: for an act of staff, the calls with which an app server does it."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from django.template.loader import render_to_string

from applications import openapi
from applications.models import Environment
from applications.vendors import Act, SameCall, Vendor, vendors

# The vendors take bans of at most so many minutes.
LONGEST_BAN = 43_200
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Sample:
    """A call as a shell command."""

    vendor: str
    title: str
    call: str
    text: str
    note: str

    @property
    def label(self) -> str:
        return f"{self.title}: {self.call}"


@dataclass(frozen=True)
class _Operation:
    """What a sample needs of the vendor's OpenAPI document."""

    method: str
    path: str
    is_signed: bool
    is_form: bool
    fields: Mapping[str, Any]  # schemas of the body's fields


def samples(
    environment: Environment, act: Act, *, host: str, takes: Mapping[str, object]
) -> list[Sample]:
    """For each vendor that the application accepts and that has such a call."""
    return [
        Sample(
            vendor.name,
            vendor.title,
            same.call,
            _text(environment, _operation(vendor.name, same.call), same, host, takes),
            same.note,
        )
        for vendor in vendors()
        if vendor.name in environment.application.vendors
        for same in [vendor.same_calls.get(act)]
        if same is not None
    ]


def minutes(lasts: timedelta | None) -> int:
    """A ban's duration in the vendors' minutes; None is permanent, which they do not have."""
    if lasts is None:
        return LONGEST_BAN
    return max(1, min(round(lasts.total_seconds() / 60), LONGEST_BAN))


@cache
def _operation(vendor_name: str, call: str) -> _Operation:
    vendor: Vendor = next(each for each in vendors() if each.name == vendor_name)
    document = vendor.document
    path, method, operation = next(
        found for found in openapi.operations(document) if found[2]["operationId"] == call
    )
    content = operation.get("requestBody", {}).get("content", {})
    body: dict[str, Any] = next((each["schema"] for each in content.values()), {})
    return _Operation(
        method=method.upper(),
        path=document["servers"][0]["url"].rstrip("/") + path.rstrip("/"),
        is_signed="Signature" in document["components"]["securitySchemes"],
        is_form=FORM in content,
        fields=_fields(document, body),
    )


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> Mapping[str, Any]:
    """Of several alternatives, the first that is one object."""
    either = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return next(
        (found for each in either if (found := openapi.resolved(document, each).get("properties"))),
        {},
    )


def _text(
    environment: Environment,
    operation: _Operation,
    same: SameCall,
    host: str,
    takes: Mapping[str, object],
) -> str:
    # An act may take less than it could, such as no avatar.
    given = {name: takes[word] for name, word in same.values.items() if word in takes}
    given |= same.fixed
    path = operation.path
    places = {"org_name": environment.application.org_name, "app_name": environment.kind, **given}
    for name, value in places.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    body = {name: value for name, value in given.items() if name in operation.fields}
    context = {
        "method": operation.method,
        "url": shlex.quote(host + path),
        "app_key": environment.app_key,
        "is_signed": operation.is_signed,
        "form": list(_pairs(body)) if operation.is_form else [],
        "json": "" if operation.is_form or not body else shlex.quote(_json(operation, body)),
    }
    return render_to_string("components/api_call.txt", context).strip()


def _pairs(body: Mapping[str, Any]) -> Iterator[str]:
    for name, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            yield shlex.quote(f"{name}={each}")


def _json(operation: _Operation, body: Mapping[str, Any]) -> str:
    def fitting(name: str, value: object) -> object:
        schema = operation.fields[name]
        kinds = [schema, *schema.get("anyOf", ())]
        if any(kind.get("type") == "array" for kind in kinds) and not isinstance(value, list):
            return [value]
        return value

    return json.dumps({name: fitting(name, value) for name, value in body.items()})
