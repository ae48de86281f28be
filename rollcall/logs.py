"""How processes log: the configuration, and their log files, which are limited in size."""

import os
import shutil
from pathlib import Path
from typing import Any

LIMIT = 5_000_000  # bytes; a second file holds the previous lines, up to the same size

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FORMATS = {"line": "rollcall.log_lines.Line", "json": "rollcall.log_lines.Json"}


def configuration(*, format: str, level: str) -> dict[str, Any]:
    """Django's `LOGGING`. `format` is one of `FORMATS`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": FORMATS[format]}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in ("celery", "django.server")},
    }


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
