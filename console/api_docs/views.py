"""The calls of each vendor's API, from its OpenAPI document."""

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from applications import openapi
from applications.access import Permission, applications_entered_by
from applications.models import Environment, Member
from applications.vendors import Vendor, vendors
from console import responses
from console.access import Access
from console.api_docs import paths
from console.links import page_url

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a request or response body."""

    name: str
    kind: str
    bounds: str
    required: bool


@dataclass(frozen=True)
class Errors:
    status: str
    meanings: list[str]


@dataclass(frozen=True)
class Call:
    """One call, as the page shows it."""

    group: str
    name: str
    method: str
    path: str
    description: str
    request_fields: list[Field]
    is_form: bool
    response_fields: list[Field]
    errors: list[Errors]
    sample: str

    @property
    def example_path(self) -> str:
        return paths.example(self.path)

    @property
    def searched(self) -> str:
        return f"{self.group} {self.name} {self.path} {self.description}".lower()


@require_safe
@never_cache
def api_docs(request: HttpRequest, vendor: str) -> HttpResponse:
    """`?q=` filters the calls, `?of=` fills in the keys of an environment."""
    found = _vendor(vendor)
    document = found.document
    environments = {each.full_name: each for each in _environments(request, found)}
    environment = environments.get(request.GET.get("of", ""))
    query = request.GET.get("q", "").strip()
    calls = [
        call
        for operation in openapi.operations(document)
        for call in [_call(document, *operation, environment=environment)]
        if all(word in call.searched for word in query.lower().split())
    ]
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
        "query": query,
        "environments": environments,
        "filled_in": environment,
        "send_url": _send_url(request, found, environment),
    }
    return responses.shown(
        request, "console/api_docs/index.html", context, fragment="console/api_docs/_calls.html"
    )


def _send_url(request: HttpRequest, vendor: Vendor, environment: Environment | None) -> str:
    """Where a call is sent to this environment; "" if this member may not."""
    if environment is None or not environment.is_development or vendor.credentials is None:
        return ""
    member = Member.objects.filter(
        application=environment.application_id, account=request.user.pk
    ).first()
    may = member and Access(member, environment.kind).may[Permission.MANAGE_USERS]
    return page_url(environment, "requests:send") if may else ""


def _environments(request: HttpRequest, vendor: Vendor) -> QuerySet[Environment]:
    """Those of the reader's applications that accept the vendor's calls."""
    return (
        Environment.objects.filter(
            application__in=applications_entered_by(request.user),
            application__vendors__contains=[vendor.name],
        )
        .select_related("application")
        .order_by("application__org_name", "kind")
    )


@require_safe
def api_document(request: HttpRequest, vendor: str) -> HttpResponse:
    """The OpenAPI document itself."""
    return JsonResponse(_vendor(vendor).document, json_dumps_params={"indent": 2})


def _vendor(name: str) -> Vendor:
    for vendor in vendors():
        if vendor.name == name:
            return vendor
    raise Http404(f"There is no vendor {name}")


def _call(
    document: dict[str, Any],
    path: str,
    method: str,
    operation: dict[str, Any],
    *,
    environment: Environment | None,
) -> Call:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    body: dict[str, Any] = next((each["schema"] for each in content.values()), {})
    request_fields = [
        _parameter(document, each) for each in operation["parameters"] if each["in"] != "header"
    ]
    request_fields += _body_fields(document, body)
    answers = operation["responses"]
    response_body = answers["200"]["content"]["application/json"]["schema"]
    return Call(
        group=operation["tags"][0],
        name=operation["operationId"],
        method=method.upper(),
        path=paths.base(document, environment) + path.rstrip("/"),
        description=operation.get("description", ""),
        request_fields=request_fields,
        is_form=FORM in content,
        response_fields=_body_fields(document, response_body),
        errors=[
            Errors(status, answers[status]["description"].splitlines())
            for status in sorted(answers)
            if status != "200"
        ],
        sample=_sample(document, body, is_form=FORM in content),
    )


def _parameter(document: dict[str, Any], parameter: dict[str, Any]) -> Field:
    schema = parameter["schema"]
    where = gettext("in the path") if parameter["in"] == "path" else gettext("in the query")
    bounds = ", ".join(filter(None, (where, _bounds(document, schema))))
    return Field(
        parameter["name"], _kind(document, schema), bounds, parameter.get("required", False)
    )


def _body_fields(document: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> list[Field]:
    """The fields of an object and of the objects in it."""
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
        found += _body_fields(document, inner, f"{prefix}{name}{_array_suffix(plain)}.")
    return found


def _array_suffix(schema: dict[str, Any]) -> str:
    return "[]" if schema.get("type") == "array" else ""


def _plain(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without "or null", because in these APIs null means the same as not sent. Of
    several alternatives it is the first, which is the simplest.
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
        return gettext("list of {kind}").format(kind=_kind(document, schema["items"]))
    if schema.get("contentMediaType") == "application/json":
        return gettext("text with JSON in it")
    kind = str(schema.get("type", "any"))
    return {
        "string": gettext("text"),
        "integer": gettext("number"),
        "boolean": gettext("true or false"),
        "object": gettext("object"),
        "any": gettext("any"),
    }.get(kind, kind)


def _bounds(document: dict[str, Any], schema: dict[str, Any], *, default: Any = None) -> str:
    bounds = []
    if "const" in schema:
        bounds.append(gettext("always {value}").format(value=schema["const"]))
    if "enum" in schema:
        choices = ", ".join(str(each) for each in schema["enum"])
        bounds.append(gettext("one of {choices}").format(choices=choices))
    for least, most, text in (
        ("minimum", "maximum", "{bounds}"),
        ("minLength", "maxLength", gettext("{bounds} characters")),
        ("minItems", "maxItems", gettext("{bounds} items")),
    ):
        if least in schema and most not in schema:
            found = gettext("at least {least:,}").format(least=schema[least])
        elif most not in schema or "description" in schema:
            continue
        elif least in schema:
            found = gettext("{least:,} to {most:,}").format(least=schema[least], most=schema[most])
        else:
            found = gettext("at most {most:,}").format(most=schema[most])
        bounds.append(text.format(bounds=found))
    if "description" in schema:
        bounds.append(" ".join(schema["description"].split()))
    elif "pattern" in schema:
        bounds.append(schema["pattern"])
    if schema.get("type") == "array" and (each := _bounds(document, _inner(document, schema))):
        bounds.append(gettext("each: {bounds}").format(bounds=each))
    if default not in (None, "") and "const" not in schema:
        bounds.append(gettext("default {value}").format(value=default))
    return ", ".join(bounds)


def _sample(document: dict[str, Any], schema: dict[str, Any], *, is_form: bool) -> str:
    """A body with the required fields, as an argument of curl's -d."""
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
