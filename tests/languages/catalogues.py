"""The catalogues of texts: what the source asks for, what is translated, and what is compiled.

Babel reads and writes them, so nobody needs GNU gettext. `python -m tests.languages` adds the texts
that are new in the source to the catalogues, takes out those that are gone, and compiles.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

ROOT: Path = settings.BASE_DIR
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
PYTHON_FOLDERS = ("api", "applications", "console", "moderation", "rollcall", "transfers", "users")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
}


def _python(file: Path) -> BytesIO:
    return BytesIO(file.read_bytes())


def _template(file: Path) -> BytesIO:
    """Django turns a template into calls of gettext, with X for all else; Python's tokenizer wants
    no indentation.
    """
    lines = templatize(file.read_text()).splitlines()
    return BytesIO("\n".join(line.strip() for line in lines).encode())


def _sources(domain: str) -> Iterator[tuple[Path, BytesIO, str]]:
    if domain == "djangojs":
        for file in sorted((ROOT / "static").rglob("*.js")):
            yield file, _python(file), "javascript"
        return
    for folder in PYTHON_FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in file.parts:
                yield file, _python(file), "python"
    for file in sorted((ROOT / "templates").rglob("*.html")):
        yield file, _template(file), "python"


def extracted(domain: str) -> Catalog:
    """What the source asks for, without translations. Where a text is used is its file only: line
    numbers would change the catalogue with each edit.
    """
    catalog = Catalog(fuzzy=False)
    for file, source, method in _sources(domain):
        place = str(file.relative_to(ROOT))
        for _, text, _, context in extract(method, source, keywords=KEYWORDS):
            flags = {"python-brace-format"} if "{" in str(text) else set()
            catalog.add(text, None, [(place, None)], flags=flags, context=context)
    return catalog


def path(language: str, domain: str, suffix: str = "po") -> Path:
    return ROOT / "locale" / to_locale(language) / "LC_MESSAGES" / f"{domain}.{suffix}"


def stored(language: str, domain: str) -> Catalog:
    with path(language, domain).open("rb") as file:
        return read_po(file, locale=None)


def compiled(catalog: Catalog) -> bytes:
    written = BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def texts(catalog: Catalog) -> dict[tuple[str | None, Any], Message]:
    """By context and text, plural forms included; without the header."""
    return {(each.context, each.id): each for each in catalog if each.id}


def update(language: str, domain: str) -> int:
    """How many texts wait for a translation."""
    known = texts(stored(language, domain)) if path(language, domain).exists() else {}
    written = Catalog(
        locale="zh_Hans", fuzzy=False, charset="utf-8", header_comment="# Chinese (Simplified)."
    )
    waiting = 0
    for key, message in sorted(texts(extracted(domain)).items(), key=lambda each: str(each[0])):
        translation = known[key].string if key in known else None
        waiting += not translation or not all(translation)
        written.add(
            message.id, translation, message.locations, message.flags, context=message.context
        )
    path(language, domain).parent.mkdir(parents=True, exist_ok=True)
    with path(language, domain).open("wb") as file:
        write_po(file, written, width=100, include_lineno=False, omit_header=False)
    path(language, domain, "mo").write_bytes(compiled(stored(language, domain)))
    return waiting
