"""Runs the calls that vendors' folders declare with Ninja.

Ninja routes, documents, and reads what a call is sent. What it does for views in general is left
out, which takes three times as long: a response object beforehand, attribute lookups in templates'
ways, several kinds of results.

Invariants
----------
* A call is authenticated before its body is read.
* A response has exactly the fields of its schema: it is validated against it, and written from it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from ninja.operation import Operation
from pydantic import TypeAdapter

JSON = "application/json; charset=utf-8"


def compiled(run: Any) -> Callable[..., HttpResponse]:
    """A decorator for Ninja (mode "view"), which replaces the `run` of each operation."""
    operation: Operation = run.__self__
    [authenticate] = operation.auth_callbacks
    [response] = operation.response_models.values()
    schema: Any = response.model_fields["response"].annotation
    content: TypeAdapter[Any] = TypeAdapter(schema)
    written = partial(
        content.dump_json,
        by_alias=operation.by_alias,
        exclude_none=operation.exclude_none,
        exclude_unset=operation.exclude_unset,
    )

    def compiled_run(request: HttpRequest, **path_values: Any) -> HttpResponse:
        try:
            request.auth = authenticate(request)  # type: ignore[attr-defined]
            values = operation._get_values(request, path_values, cast(HttpResponse, None))
            result = operation.view_func(request, **values)
        except Exception as error:
            return operation.api.on_exception(request, error)
        return HttpResponse(written(content.validate_python(result)), content_type=JSON)

    return compiled_run
