"""`{% load rollcall %}`: the components of `console.components`, and the filters of `words`."""

from django import template
from django.utils import translation

from console.components import (
    containers,
    elements,
    figures,
    forms,
    lists,
    navigation,
    times,
    vendors,
)
from console.templatetags import words

register = template.Library()
register.filter(words.duration)
register.filter(words.estimate)
register.filter(words.actor)
register.filter(words.precise)
register.filter(words.said)


@register.simple_tag
def language_tag() -> str:
    """The page's language for `<html lang>`: `en`, `zh-Hans`."""
    return translation.to_locale(translation.get_language() or "en").replace("_", "-")


for module in (containers, elements, figures, forms, lists, navigation, times, vendors):
    register.tags |= module.register.tags
