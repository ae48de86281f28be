"""Form fields and their errors."""

from django import template
from django.forms import BoundField, CheckboxInput, Form

from console.components.rendering import Context

register = template.Library()


@register.inclusion_tag("components/field.html")
def field(field: BoundField, *, label: str = "", chips: bool = False) -> Context:
    return {
        "field": field,
        "label": label or field.label,
        "checkbox": isinstance(field.field.widget, CheckboxInput),
        "chips": chips,
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Form) -> Context:
    return {"errors": form.non_field_errors()}


@register.inclusion_tag("components/confirm_field.html")
def confirm_field(
    phrase: str,
    *,
    name: str = "confirm",
    error: str = "",
    required: bool = True,
    autofocus: bool = False,
) -> Context:
    """`required=False` is for a field that is hidden while nothing needs to be confirmed: with a
    hidden required field, a browser does not submit the form and shows no reason. `autofocus` is
    for a page on which the field is far down.
    """
    return {
        "phrase": phrase,
        "name": name,
        "error": error,
        "required": required,
        "autofocus": autofocus,
    }
