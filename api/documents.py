"""The OpenAPI document of each door. It is generated from the schemas that validate requests, and
from `vendor.Documented`: the authentication and every refusal.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from api import leases
from applications.openapi import operations, resolved

if TYPE_CHECKING:
    from api.vendor import Documented, ErrorAnswer, Vendor

VERSION = "1"
ERROR = "Error"
_JSON_OBJECT = {"application/json": {"schema": {"type": "object"}}}
REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "An id for the call, up to 64 characters. The response and the log repeat it.",
    "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9._:+=/@#-]*$"},
}

LEASE = {
    "name": leases.HEADER,
    "in": "header",
    "required": False,
    "description": "Development only: the registered user is deleted after this many seconds. In "
    "production the call is refused.",
    "schema": {"type": "integer", "minimum": 60, "maximum": 31_536_000},
}
RETRY_AFTER = {
    "description": "Seconds to wait before the next call.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}


@cache
def of(vendor: "Vendor") -> dict[str, Any]:
    """The document. It is cached: do not change it."""
    # A deep copy by way of JSON: in Ninja's schema, the methods of a path share objects.
    document: dict[str, Any] = json.loads(
        json.dumps(vendor.api.get_openapi_schema(path_prefix="/"))
    )
    documented = vendor.documented
    document["openapi"] = "3.1.0"
    document["info"] = {
        "title": vendor.api.title,
        "version": VERSION,
        "description": documented.description,
    }
    variables = {name: {"default": example} for name, example in documented.examples.items()}
    document["servers"] = [{"url": documented.base, "variables": variables}]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas[ERROR] = documented.error.model_json_schema()
    document["components"]["securitySchemes"] = dict(documented.schemes)
    document["security"] = [{name: [] for name in names} for names in documented.alternatives]
    for path, method, operation in operations(document):
        route = path.lstrip("/").replace("{", "<").replace("}", ">")
        name = vendor.call_name(method.upper(), route)
        operation["operationId"] = name
        operation["summary"] = name
        headers = [LEASE, REQUEST_ID] if name in documented.registers else [REQUEST_ID]
        operation["parameters"] = [*operation.get("parameters", []), *headers]
        operation["responses"]["200"].setdefault("content", _JSON_OBJECT)
        _require_body_only_where_needed(operation, document)
        operation["responses"] |= _refusals(documented, name)
    return document


def _require_body_only_where_needed(operation: dict[str, Any], document: dict[str, Any]) -> None:
    """Marks a body as optional if none of its fields is required."""
    if body := operation.get("requestBody"):
        [content] = body["content"].values()
        body["required"] = bool(resolved(document, content["schema"]).get("required"))


def _refusals(documented: "Documented", call_name: str) -> dict[str, Any]:
    ordered = sorted(documented.errors(call_name), key=lambda error: error.status)
    refusals = {
        str(status): _refusal_response(list(group), documented.error_code)
        for status, group in groupby(ordered, key=lambda error: error.status)
    }
    if too_often := refusals.get("429"):
        too_often["headers"] = {"Retry-After": RETRY_AFTER}
    return refusals


def _refusal_response(errors: "Sequence[ErrorAnswer]", code: str) -> dict[str, Any]:
    """The refusals of one HTTP status: their schema and their codes."""
    codes = [error.code for error in errors]
    form = [{"$ref": f"#/components/schemas/{ERROR}"}, {"properties": {code: {"enum": codes}}}]
    return {
        "description": "\n".join(f"{error.code}: {error.meaning}" for error in errors),
        "content": {"application/json": {"schema": {"allOf": form}}},
    }
