"""The two formats of files, CSV and JSON Lines, written and read.

Invariants
----------
* No cell of a CSV file is a formula. Strangers write much of what is exported, and a spreadsheet
  runs a cell that begins with `=`. (OWASP, "CSV Injection".) Reading takes the apostrophe off.
* What is read needs the memory of one line. A line that cannot be read is one broken row; the lines
  after it are read. So a record is one line: no value of ours contains a line feed.
* A file that is not what its name says is refused as a whole, before anything is stored.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

from django.utils.translation import gettext, gettext_lazy

MOST_BYTES = 64 * 1024 * 1024
MOST_LINES = 1_000_000
# No valid row is longer.
LONGEST_LINE = 16_384

# A spreadsheet treats a cell that begins with one of these as a formula, or as a blank before one.
_FORMULA = "[=+\\-@\t\r\n＝＋－＠]"  # noqa: RUF001
_RUNS = re.compile(f"'*{_FORMULA}")
_DISARMED = re.compile(f"''*{_FORMULA}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAGIC = {
    b"PK\x03\x04": gettext_lazy("an Excel workbook or a ZIP archive"),
    b"\xd0\xcf\x11\xe0": gettext_lazy("an old Excel workbook"),
    b"\x1f\x8b": gettext_lazy("compressed with gzip"),
    b"%PDF": "a PDF document",
    b"\x89PNG": gettext_lazy("a picture"),
    b"\xff\xd8\xff": gettext_lazy("a picture"),
    b"SQLite format 3": gettext_lazy("a database"),
}


class Format(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"

    @property
    def content_type(self) -> str:
        if self is Format.CSV:
            return "text/csv; charset=utf-8"
        return "application/x-ndjson; charset=utf-8"


class BadFile(Exception):
    """The file cannot be imported; the text says why and what to do."""


@dataclass(frozen=True)
class Record:
    """A line of a file: column → text, or why it could not be read."""

    line: int
    values: dict[str, str]
    problem: str = ""


# --- Writing -------------------------------------------------------------------------------------


def head(format: Format, columns: Sequence[str]) -> bytes:
    """What is before the first row."""
    return _csv([columns]) if format is Format.CSV else b""


def rows(format: Format, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Lines of these rows, whose values are text, numbers or None."""
    if format is Format.CSV:
        return _csv([disarmed(value) for value in row] for row in rows)
    lines = (
        json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )
    # PostgreSQL stores no lone surrogates, so nothing is replaced.
    return "".join(lines).encode(errors="replace")


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="replace")


def disarmed(value: Any) -> Any:
    """The value, with an apostrophe before text that a spreadsheet would run as a formula."""
    if isinstance(value, str) and _RUNS.match(value):
        return f"'{value}"
    return value


def _armed(value: str) -> str:
    return value[1:] if _DISARMED.match(value) else value


# --- Reading -------------------------------------------------------------------------------------


def read(file: IO[bytes], name: str) -> tuple[list[str], Iterator[Record]]:
    """The columns of a CSV file, none for JSON Lines, and the records. Raises `BadFile`, also while
    the records are read.
    """
    format = _named(name)
    start = file.read(4096)
    file.seek(0)
    encoding = _encoding(start)
    first = start.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")[:1]
    if not first:
        raise BadFile(gettext("The file is empty."))
    if (first == "{") != (format is Format.JSON_LINES):
        if first == "[":
            raise BadFile(
                gettext(
                    "The file is one JSON list. JSON Lines has one object per line: "
                    "jq -c '.[]' turns the one into the other."
                )
            )
        held, right = ("JSON Lines", "jsonl") if first == "{" else ("no JSON objects", "csv")
        raise BadFile(
            gettext(
                "{name} holds {held}, not what its name says. If it is, name it .{right}."
            ).format(name=name, held=held, right=right)
        )
    lines = _lines(file, encoding)
    if format is Format.JSON_LINES:
        return [], (_json_record(number, text) for number, text in lines)
    _, header = next(lines, (1, ""))
    delimiter = max(",;\t", key=header.count)
    columns = [column.strip() for column in _cells(header, delimiter)]
    if len(set(columns)) < len(columns):
        raise BadFile(gettext("The first line names a column twice."))
    return columns, (_csv_record(number, text, columns, delimiter) for number, text in lines)


def _named(name: str) -> Format:
    ending = name.lower().rpartition(".")[2]
    formats = {"csv": Format.CSV, "jsonl": Format.JSON_LINES, "ndjson": Format.JSON_LINES}
    if ending not in formats:
        raise BadFile(gettext("Name the file .csv for CSV or .jsonl for JSON Lines."))
    return formats[ending]


def _encoding(start: bytes) -> str:
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise BadFile(
                gettext("The file is {what}, not text. Save the table as “CSV UTF-8”.").format(
                    what=what
                )
            )
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start[:512].count(0) > 1:
        raise BadFile(gettext("The file is not text. Save the table as “CSV UTF-8”."))
    return "utf-8-sig"


def _lines(file: IO[bytes], encoding: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers. Bytes that are no text stay recognisable:
    they become lone surrogates.
    """
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=None)
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if number > MOST_LINES:
            raise BadFile(
                gettext("The file has more than {most_lines:,} lines. Split it.").format(
                    most_lines=MOST_LINES
                )
            )
        cut_off = len(line) > LONGEST_LINE
        while len(line) > LONGEST_LINE and not line.endswith("\n"):
            line = text.readline(LONGEST_LINE + 1)
        if cut_off:
            yield number, "\0" * (LONGEST_LINE + 1)
        elif line.strip():
            yield number, line.rstrip("\n")
    text.detach()  # whoever opened the file closes it


def _unreadable(text: str) -> str:
    """Why the text cannot be a row, or ""."""
    if len(text) > LONGEST_LINE:
        return f"The line is longer than {LONGEST_LINE:,} characters"
    if "\0" in text:
        return "The line contains NUL"
    if _SURROGATE.search(text):
        return "The line is not UTF-8. Save the file as “CSV UTF-8”"
    return ""


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True))


def _csv_record(number: int, text: str, columns: list[str], delimiter: str) -> Record:
    if problem := _unreadable(text):
        return Record(number, {}, problem)
    try:
        cells = _cells(text, delimiter)
    except csv.Error:
        return Record(number, {}, "A quotation mark is not closed, or text follows it")
    if len(cells) > len(columns):
        return Record(number, {}, f"The line has {len(cells)} cells for {len(columns)} columns")
    return Record(
        number, {name: _armed(cell.strip()) for name, cell in zip(columns, cells, strict=False)}
    )


def _json_record(number: int, text: str) -> Record:
    if problem := _unreadable(text):
        return Record(number, {}, problem)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Record(number, {}, "The line is not JSON")
    if not isinstance(found, dict):
        return Record(number, {}, "The line is not a JSON object")
    values = {}
    for name, value in found.items():
        if isinstance(value, (dict, list)):
            continue  # no column of ours; the other columns say what is missing
        values[str(name)] = "" if value is None else str(value)
    # What was escaped in the JSON text.
    problem = _unreadable("".join([*values, *values.values()]))
    return Record(number, {}, problem) if problem else Record(number, values)
