"""Copies of the seals in a file (`AUDIT_SEALS_FILE`), one JSON object in each line.

Invariant: a whole line of the file is never changed. After a crash, or on a machine whose worker
did not make a seal, the next run adds what is missing.

A restored backup lacks the seals that were made after it, which looks as if somebody had removed
them. So whoever restores says so (`record_restore`): a line `{"restored_to": 7, "at": ...}` means
that the copies above it of seals after number 7 are of a past that was given up.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from applications.announcements import seal_copy
from applications.models import AuditSeal

LONGEST_LINE = 4096  # bytes


class NotRestored(Exception):
    """What differs cannot come from a restore."""


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
    if not lines:
        return 0
    last = json.loads(lines[-1])
    return int(last["restored_to"] if "restored_to" in last else last["number"])


def record_restore(*, now: datetime) -> range:
    """Say in the file that the database was restored; return the numbers of the seals that it lost,
    which may be none. Raises `OSError`, `InvalidCopy`, `NotRestored`.
    """
    path = Path(settings.AUDIT_SEALS_FILE)
    with path.open(encoding="utf-8") as lines:
        copies: dict[int, str] = {}
        for copy in read(lines):
            if "restored_to" in copy:
                copies = {n: seal for n, seal in copies.items() if n <= copy["restored_to"]}
            else:
                copies[copy["number"]] = copy["seal"]
    ours = dict(AuditSeal.objects.values_list("number", "seal"))
    same = [number for number, seal in copies.items() if ours.get(number) == seal]
    shared, newest = max(same, default=0), max(copies, default=0)
    lost = range(shared + 1, newest + 1)
    if len(same) < len([number for number in copies if number <= shared]):
        raise NotRestored("Older seals differ from their copies, too: no restore does that.")
    if lost:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            mark = {"restored_to": shared, "at": now.isoformat()}
            file.write(json.dumps(mark).encode() + b"\n")
        bring_up_to_date()
    return lost


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The copies in a file, or in what a receiver has kept of webhooks, and the marks of restores.
    Raises `InvalidCopy`.
    """
    for place, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            copy = json.loads(text)
            copy = copy.get("data", copy)
            if "restored_to" in copy:
                yield {"restored_to": int(copy["restored_to"])}
                continue
            sealed_at = datetime.fromisoformat(copy["sealed_at"]) if "sealed_at" in copy else None
            yield {
                "number": int(copy["number"]),
                "seal": str(copy["seal"]),
                "sealed_at": sealed_at,
            }
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidCopy(f"line {place} is not a copy of a seal") from error
