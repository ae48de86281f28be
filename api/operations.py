"""Runs the calls that vendors' folders declare with Ninja.

Ninja routes, documents, and reads what a call is sent. What it does for views in general is left
out, which takes three times as long: a response object beforehand, attribute lookups in templates'
ways, several kinds of results.

Invariants
----------
* A call is authenticated before its body is read.
* What a call is sent is validated by its schema. If it does not fit, Ninja reads it again, and says
  what is wrong.
* A response has exactly the fields of its schema: it is validated against it, and written from it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from ninja.operation import Operation
from ninja.params.models import FormModel
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.answers import Answer

# A request and the values in its path → the arguments of the view.
Reader = Callable[[HttpRequest, dict[str, Any]], dict[str, Any]]


def compiled(run: Any) -> Callable[..., Answer]:
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

    values_of = _form_reader(operation) or _reader(operation)

    def compiled_run(request: HttpRequest, **path_values: Any) -> Answer:
        try:
            request.auth = authenticate(request)  # type: ignore[attr-defined]
            result = operation.view_func(request, **values_of(request, path_values))
        except Exception as error:
            operation.api.on_exception(request, error)
            raise
        return Answer(written(content.validate_python(result)))

    return compiled_run


def _reader(operation: Operation) -> Reader:
    return lambda request, path_values: operation._get_values(
        request, path_values, cast(HttpResponse, None)
    )


def _form_reader(operation: Operation) -> Reader | None:
    """For calls whose only argument is one form. Ninja would wrap its schema in a further one."""
    models = operation.models
    if len(models) != 1 or not issubclass(models[0], FormModel) or len(models[0].model_fields) != 1:
        return None
    [(argument, field)] = models[0].model_fields.items()
    schema: type[BaseModel] = cast(Any, field.annotation)
    lists: list[str] = getattr(models[0], "__ninja_collection_fields__", [])
    read_slowly = _reader(operation)

    def read(request: HttpRequest, path_values: dict[str, Any]) -> dict[str, Any]:
        given = operation.api.parser.parse_querydict(request.POST, lists, request)
        try:
            return {argument: schema.model_validate(given)}
        except ValidationError:
            return read_slowly(request, path_values)

    return read
