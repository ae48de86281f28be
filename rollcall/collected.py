"""Collected static files: gathered, compressed and named by content when a source has changed."""

import os
from hashlib import sha256

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> None:
    """Run `collectstatic`, unless each source is as it was at the last run."""
    stamp = settings.STATIC_ROOT / ".collected"
    found = _sources()
    if not stamp.exists() or stamp.read_text() != found:
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(found)  # only now: an interrupted run is repeated


def _sources() -> str:
    """A digest of the sources: paths, sizes and times of change."""
    files = sorted(storage.path(path) for each in get_finders() for path, storage in each.list([]))
    seen = sha256()
    for path in files:
        status = os.stat(path)
        seen.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return seen.hexdigest()
