"""Each door's OpenAPI document: made from the schemas that validate, and from what a vendor's
folder says about the rest (`vendor.Documented`): who may call, and every refusal in its own words.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

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
    "description": "A name for the call, up to 64 characters; the answer and the log repeat it.",
    "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9._:+=/@#-]*$"},
}

RETRY_AFTER = {
    "description": "After how many seconds another call may pass.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}


@cache
def of(vendor: "Vendor") -> dict[str, Any]:
    """The document, not to be changed."""
    # Through JSON, for Ninja lets the methods of a path share what is changed below.
    document: dict[str, Any] = json.loads(
        json.dumps(vendor.api.get_openapi_schema(path_prefix="/"))
    )
    told = vendor.documented
    document["openapi"] = "3.1.0"
    document["info"] = {
        "title": vendor.api.title,
        "version": VERSION,
        "description": told.description,
    }
    variables = {name: {"default": example} for name, example in told.examples.items()}
    document["servers"] = [{"url": told.base, "variables": variables}]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas[ERROR] = told.error.model_json_schema()
    document["components"]["securitySchemes"] = dict(told.schemes)
    document["security"] = [{name: [] for name in names} for names in told.alternatives]
    for path, method, operation in operations(document):
        route = path.lstrip("/").replace("{", "<").replace("}", ">")
        name = vendor.call_name(method.upper(), route)
        operation["operationId"] = name
        operation["summary"] = name
        operation["parameters"] = [*operation.get("parameters", []), REQUEST_ID]
        operation["responses"]["200"].setdefault("content", _JSON_OBJECT)
        _require_body_only_where_needed(operation, document)
        operation["responses"] |= _refusals(told, name)
    return document


def _require_body_only_where_needed(operation: dict[str, Any], document: dict[str, Any]) -> None:
    """A list may be asked for without a body."""
    if body := operation.get("requestBody"):
        [content] = body["content"].values()
        body["required"] = bool(resolved(document, content["schema"]).get("required"))


def _refusals(told: "Documented", call_name: str) -> dict[str, Any]:
    ordered = sorted(told.errors(call_name), key=lambda answer: answer.status)
    refusals = {
        str(status): _refused(list(group), told.error_code)
        for status, group in groupby(ordered, key=lambda answer: answer.status)
    }
    if too_often := refusals.get("429"):
        too_often["headers"] = {"Retry-After": RETRY_AFTER}
    return refusals


def _refused(answers: "Sequence[ErrorAnswer]", code: str) -> dict[str, Any]:
    """The answers of one status: their form, and which codes it comes with."""
    codes = [answer.code for answer in answers]
    form = [{"$ref": f"#/components/schemas/{ERROR}"}, {"properties": {code: {"enum": codes}}}]
    return {
        "description": "\n".join(f"{answer.code}: {answer.meaning}" for answer in answers),
        "content": {"application/json": {"schema": {"allOf": form}}},
    }
