"""Log files that a process writes into by itself, kept across restarts and bounded in size."""

import os
import shutil
from pathlib import Path

LIMIT = 5_000_000  # bytes; the lines before them, as many again, are in a second file


def bound(log: Path, *, limit: int = LIMIT) -> None:
    """Move what is in the log to `<log>.1` once it has grown beyond the limit.

    Whoever writes has opened it for appending and goes on at its new end; a line that is written
    between copying and emptying may be lost.
    """
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for whoever is told that its process does not come up."""
    if not log.exists():
        return ""
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 10_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
