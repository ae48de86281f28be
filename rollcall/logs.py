"""Log files that processes write, kept across restarts and limited in size."""

import os
import shutil
from pathlib import Path

LIMIT = 5_000_000  # bytes; a second file holds the previous lines, up to the same size


def bound(log: Path, *, limit: int = LIMIT) -> None:
    """Move the contents of the log to `<log>.1` if it is larger than the limit.

    The process has opened it for appending and continues in the empty file. A line that it writes
    between copying and truncating may be lost.
    """
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def last_lines(log: Path, count: int = 15) -> str:
    """The last lines of a log, for the error that its process does not start."""
    if not log.exists():
        return ""
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 10_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
