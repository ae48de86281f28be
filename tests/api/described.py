"""Checks a response against the door's OpenAPI document: its status, its schema, and the code of a
refusal.
"""

import json
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from api import documents
from applications.vendors import vendors

_DOCUMENTS = {vendor.name: documents.of(vendor) for vendor in vendors()}


@cache
def _responses(vendor_name: str) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation["responses"]
        for *_, operation in documents.operations(_DOCUMENTS[vendor_name])
    }


@cache
def _validator(vendor_name: str, call_name: str, status: int) -> Draft202012Validator:
    response = _responses(vendor_name)[call_name][str(status)]
    schema = response["content"]["application/json"]["schema"]
    components = _DOCUMENTS[vendor_name]["components"]
    return Draft202012Validator({**schema, "components": components})


def must_be_described(response: Any) -> None:
    """Unknown calls are not in the document. Every 429 has a Retry-After header."""
    assert response.status_code != 429 or int(response["Retry-After"]) >= 1
    call = response.wsgi_request.call
    responses = _responses(call.vendor).get(call.name)
    if responses is not None:
        assert str(response.status_code) in responses, (call.name, response.content)
        validator = _validator(call.vendor, call.name, response.status_code)
        validator.validate(json.loads(response.content))
