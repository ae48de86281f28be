"""`{% load rollcall %}`: the components of `console.components`, and the filters of `words`."""

from django import template

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
for module in (containers, elements, figures, forms, lists, navigation, times, vendors):
    register.tags |= module.register.tags
