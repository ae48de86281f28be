"""The catalogues are complete, say what the source says, and are compiled. `python -m
tests.languages` brings them up to date.
"""

import re
from typing import Any

import pytest

from tests.languages import catalogues

CATALOGUES = [
    (language, domain) for language in catalogues.LANGUAGES for domain in ("django", "djangojs")
]
PLACE = re.compile(r"%\(\w+\)s|%%|\{[^{}]*\}")

pytestmark = pytest.mark.parametrize(("language", "domain"), CATALOGUES)


def forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_has_each_text_of_the_source_and_no_other(language: str, domain: str) -> None:
    stored = catalogues.stored(language, domain)
    assert catalogues.texts(stored).keys() == catalogues.texts(catalogues.extracted(domain)).keys()
    assert not stored.obsolete


def test_translates_each_text(language: str, domain: str) -> None:
    messages = catalogues.texts(catalogues.stored(language, domain)).values()
    assert [each.id for each in messages if each.fuzzy or not all(forms(each.string))] == []


def test_keeps_the_places_of_values(language: str, domain: str) -> None:
    wrong = [
        message.id
        for message in catalogues.texts(catalogues.stored(language, domain)).values()
        for translation in forms(message.string)
        if sorted(PLACE.findall(translation)) != sorted(PLACE.findall(forms(message.id)[-1]))
    ]
    assert wrong == []


def test_is_compiled(language: str, domain: str) -> None:
    compiled = catalogues.compiled(catalogues.stored(language, domain))
    assert catalogues.path(language, domain, "mo").read_bytes() == compiled
