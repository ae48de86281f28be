"""Copies of the seals in a file (`AUDIT_SEALS_FILE`), one JSON object in each line.

Invariant: a whole line of the file is never changed. After a crash, or on a machine whose worker
did not make a seal, the next run adds what is missing.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from applications.announcements import seal_copy
from applications.models import AuditSeal

LONGEST_LINE = 4096  # bytes


class InvalidCopy(ValueError):
    """A line of the file is not a copy of a seal; the text names the line."""


def bring_up_to_date() -> None:
    """Append the seals after the last one in the file. Raises `OSError`."""
    with Path(settings.AUDIT_SEALS_FILE).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        missing = AuditSeal.objects.filter(number__gt=_last_number(file)).order_by("number")
        for seal in missing.only("number", "sealed_at", "seal", "previous").iterator():
            file.write(json.dumps(seal_copy(seal)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _last_number(file: IO[bytes]) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LONGEST_LINE))
    end = file.read()
    torn = len(end) - (end.rfind(b"\n") + 1)  # an earlier run was killed while it wrote
    if torn:
        file.truncate(size - torn)
    lines = end[: len(end) - torn].splitlines()
    return int(json.loads(lines[-1])["number"]) if lines else 0


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The copies in a file, or in what a receiver has kept of webhooks. Raises `InvalidCopy`."""
    for place, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            copy = json.loads(text)
            copy = copy.get("data", copy)
            yield {"number": int(copy["number"]), "seal": str(copy["seal"])}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidCopy(f"line {place} is not a copy of a seal") from error
