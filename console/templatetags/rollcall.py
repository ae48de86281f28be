"""`{% load rollcall %}`: the components of `console.components`, and the filters of `words`."""

from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.utils import translation
from django.utils.html import json_script
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

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
register.filter(words.sentence)


@register.simple_tag
def language_tag() -> str:
    """The page's language for `<html lang>`: `en`, `zh-Hans`."""
    return translation.to_locale(translation.get_language() or "en").replace("_", "-")


@register.simple_tag
def script_words() -> str:
    """The texts of static/*.js in the page's language, for console.js; nothing if it is English."""
    words = _script_words(translation.get_language() or "en")
    return json_script(words, "words") if words else ""


@cache
def _script_words(language: str) -> dict[str, Any]:
    catalogue = JavaScriptCatalog()
    catalogue.translation = DjangoTranslation(
        language, domain="djangojs", localedirs=[str(path) for path in settings.LOCALE_PATHS]
    )
    words: dict[str, Any] = catalogue.get_catalog()
    return words


for module in (containers, elements, figures, forms, lists, navigation, times, vendors):
    register.tags |= module.register.tags
