"""How a record of the log is written: as a line to read, or as JSON for what collects logs
(`LOG_FORMAT`).

A record has `facts` if its logger passes some (`extra={"facts": …}`), and the id of the request
that its thread is working on (`applications.tracing`).
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from applications import tracing


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "facts", {})
    if "request" not in facts and (request_id := tracing.request_id()):
        return {**facts, "request": request_id}
    return facts


class Line(logging.Formatter):
    """Time, level, logger, message, and each fact as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)
        for name, value in facts_of(record).items():
            text += f" {name}={_word(value)}"
        return text


def _word(value: object) -> str:
    """The value without blanks and line breaks, so that it cannot look like another fact."""
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)


class Json(logging.Formatter):
    """One JSON object in each line: `at` in UTC, `level`, `logger`, `message`, and the facts."""

    def format(self, record: logging.LogRecord) -> str:
        about = {
            **facts_of(record),
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            about["traceback"] = self.formatException(record.exc_info)
        return json.dumps(about, default=str)
