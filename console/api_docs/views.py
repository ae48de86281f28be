"""What each vendor's door understands: its calls, from the door's own OpenAPI document."""

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications import openapi
from applications.vendors import Vendor, vendors

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of a body."""

    name: str
    kind: str
    bounds: str
    required: bool


@dataclass(frozen=True)
class Refusals:
    status: str
    meanings: list[str]


@dataclass(frozen=True)
class Shown:
    """One call, as the page shows it."""

    group: str
    name: str
    method: str
    path: str
    says: str
    takes: list[Field]
    is_form: bool
    answers: list[Field]
    refusals: list[Refusals]
    sample: str


@require_safe
def api_docs(request: HttpRequest, vendor: str) -> HttpResponse:
    found = _vendor(vendor)
    document = found.document
    calls = [_shown(document, *call) for call in openapi.operations(document)]
    context = {
        "vendor": found.name,
        "vendors": [(each.name, each.title) for each in vendors()],
        "label": found.title,
        "document": document,
        "groups": [
            (group, list(members)) for group, members in groupby(calls, key=lambda call: call.group)
        ],
        "signed": "Signature" in document["components"]["securitySchemes"],
        "schemes": document["components"]["securitySchemes"].values(),
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "console/api_docs/index.html", context)


@require_safe
def api_document(request: HttpRequest, vendor: str) -> HttpResponse:
    """The OpenAPI document itself."""
    return JsonResponse(_vendor(vendor).document, json_dumps_params={"indent": 2})


def _vendor(name: str) -> Vendor:
    for vendor in vendors():
        if vendor.name == name:
            return vendor
    raise Http404(f"No vendor is called {name}")


def _shown(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Shown:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    body: dict[str, Any] = next((each["schema"] for each in content.values()), {})
    takes = [
        _parameter(document, each) for each in operation["parameters"] if each["in"] != "header"
    ]
    takes += _members(document, body)
    responses = operation["responses"]
    answer = responses["200"]["content"]["application/json"]["schema"]
    return Shown(
        group=operation["tags"][0],
        name=operation["operationId"],
        method=method.upper(),
        path=document["servers"][0]["url"].rstrip("/") + path.rstrip("/"),
        says=operation.get("description", ""),
        takes=takes,
        is_form=FORM in content,
        answers=_members(document, answer),
        refusals=[
            Refusals(status, responses[status]["description"].splitlines())
            for status in sorted(responses)
            if status != "200"
        ],
        sample=_sample(document, body, is_form=FORM in content),
    )


def _parameter(document: dict[str, Any], parameter: dict[str, Any]) -> Field:
    schema = parameter["schema"]
    where = "in the path" if parameter["in"] == "path" else "in the query"
    bounds = ", ".join(filter(None, (where, _bounds(document, schema))))
    return Field(
        parameter["name"], _kind(document, schema), bounds, parameter.get("required", False)
    )


def _members(document: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> list[Field]:
    """The members of an object, and those of objects in it."""
    schema = _plain(document, schema)
    required = schema.get("required", ())
    found: list[Field] = []
    for name, member in schema.get("properties", {}).items():
        plain, inner = _plain(document, member), _inner(document, member)
        found.append(
            Field(
                prefix + name,
                _kind(document, plain),
                _bounds(document, plain, default=member.get("default")),
                name in required,
            )
        )
        found += _members(document, inner, f"{prefix}{name}{_mark(plain)}.")
    return found


def _mark(schema: dict[str, Any]) -> str:
    return "[]" if schema.get("type") == "array" else ""


def _plain(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without "or null", for on these wires null is the same as not sent; of several
    others the first, which is the plainest.
    """
    either = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    choices = [each for each in either if each.get("type") != "null"]
    return openapi.resolved(document, choices[0] if choices else schema)


def _inner(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    schema = _plain(document, schema)
    return openapi.resolved(document, schema.get("items", {}) if "items" in schema else schema)


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    schema = _plain(document, schema)
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema['items'])}"
    if schema.get("contentMediaType") == "application/json":
        return "JSON in a text"
    kind = str(schema.get("type", "any"))
    return {"string": "text", "integer": "number", "boolean": "true or false"}.get(kind, kind)


def _bounds(document: dict[str, Any], schema: dict[str, Any], *, default: Any = None) -> str:
    said = []
    if "const" in schema:
        said.append(f"always {schema['const']}")
    if "enum" in schema:
        said.append("one of " + ", ".join(str(each) for each in schema["enum"]))
    for least, most, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if least in schema and most not in schema:
            said.append(f"at least {schema[least]:,}{unit}")
        elif most in schema and "description" not in schema:
            start = f"{schema[least]:,} to" if least in schema else "at most"
            said.append(f"{start} {schema[most]:,}{unit}")
    if "description" in schema:
        said.append(" ".join(schema["description"].split()))
    elif "pattern" in schema:
        said.append(schema["pattern"])
    if schema.get("type") == "array" and (each := _bounds(document, _inner(document, schema))):
        said.append(f"each: {each}")
    if default not in (None, "") and "const" not in schema:
        said.append(f"{default} where not sent")
    return ", ".join(said)


def _sample(document: dict[str, Any], schema: dict[str, Any], *, is_form: bool) -> str:
    """A body with what is required, in the notation of curl's -d."""
    schema = _plain(document, schema)
    required = schema.get("required", ())
    values = {name: _example(document, name, schema["properties"][name]) for name in required}
    if not is_form:
        return json.dumps(values) if schema else ""
    return "&".join(
        f"{name}={value[0] if isinstance(value, list) else value}" for name, value in values.items()
    )


def _example(document: dict[str, Any], name: str, schema: dict[str, Any]) -> Any:
    schema = _plain(document, schema)
    if schema.get("type") == "array":
        return [_example(document, name, schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "integer":
        return max(schema.get("minimum", 0), 30 if schema.get("maximum", 0) >= 30 else 1)
    if schema.get("type") == "object":
        members = schema.get("properties", {})
        return {
            each: _example(document, each, members[each]) for each in schema.get("required", ())
        }
    if schema.get("contentMediaType") == "application/json":
        return '[{"id":"ben","remark":"Benny"}]'
    return {"name": "Mia", "startTime": "22:00:00", "remark": "Benny", "tags": "vip"}.get(
        name, "mia" if name in {"userId", "userIds"} else "ben"
    )
