"""Bring the catalogues up to date with the source: `python -m tests.languages`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.languages import catalogues  # noqa: E402 - it reads the settings

waiting = sum(
    catalogues.update(language, domain)
    for language in catalogues.LANGUAGES
    for domain in ("django", "djangojs")
)
if waiting:
    sys.exit(f"{waiting} texts wait for a translation")
