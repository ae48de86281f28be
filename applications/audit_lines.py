"""The audit trail as seals see it: lines by id, each with a hash of its content.

Invariants
----------
* A hash covers every column but the id, as the database stores it. So two lines that have changed
  places are told from two lines that were changed.
* Hashes are keyed: whoever reads only the database cannot guess from a hash what a removed line
  said.
* A new column of the audit trail is not covered until it is added to `_CONTENT`, under another key
  purpose, because the hashes that exist stay valid.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from applications.statements import Statement

HASH_BYTES = 16
_RANGE = re.compile(r"\[(\d+),(\d+)\)", re.ASCII)

_CONTENT = """
    jsonb_build_array(
        to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), line.type,
        line.application_id, line.environment_id, line.subject, line.actor_kind, line.actor,
        line.via, host(line.address), line.request_id, line.before, line.after
    )::text
"""
_COLUMNS = f"SELECT line.id, line.at, line.environment_id, {_CONTENT} "
_UNHELD = Statement(
    _COLUMNS + "FROM applications_auditevent AS line"
    " WHERE line.id > %s::bigint AND line.id <= %s::bigint AND NOT line.id <@ %s::int8multirange"
    " ORDER BY line.id LIMIT %s::bigint"
)
_HELD = Statement(
    _COLUMNS + "FROM unnest(%s::int8multirange) AS ids JOIN applications_auditevent AS line"
    " ON line.id >= lower(ids) AND line.id < upper(ids) ORDER BY line.id"
)
END = 2**63 - 1  # no id is greater


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the audit trail. `content` is everything but its id, as text."""

    id: int
    at: datetime
    environment_id: int | None
    content: str

    def hashed(self, key: bytes) -> bytes:
        return hashed(self.content, key)


def hashed(content: str, key: bytes) -> bytes:
    return blake2b(content.encode(), digest_size=HASH_BYTES, key=key).digest()


def unheld(*, beyond: int, through: int = END, held: str, limit: int) -> list[Line]:
    """The first lines with an id in (beyond, through] that is not in the multirange `held`."""
    return [Line(*row) for row in _UNHELD.rows(beyond, through, held, limit)]


def held(ids: str) -> list[Line]:
    """The lines with an id in this multirange that exist, by id."""
    return [Line(*row) for row in _HELD.rows(ids)]


def multirange(ids: Iterable[int]) -> str:
    """Ascending ids as PostgreSQL writes an int8multirange."""
    ranges: list[list[int]] = []
    for each in ids:
        if ranges and ranges[-1][1] == each:
            ranges[-1][1] = each + 1
        else:
            ranges.append([each, each + 1])
    return "{" + ",".join(f"[{first},{end})" for first, end in ranges) + "}"


def union(multiranges: Iterable[str]) -> str:
    """One multirange of several that do not overlap."""
    ranges: list[tuple[int, int]] = []
    parts = sorted(
        (each.start, each.stop) for text in multiranges for each in _ranges(text) if each
    )
    for start, stop in parts:
        if ranges and ranges[-1][1] >= start:
            ranges[-1] = ranges[-1][0], max(stop, ranges[-1][1])
        else:
            ranges.append((start, stop))
    return "{" + ",".join(f"[{start},{stop})" for start, stop in ranges) + "}"


def ids_in(text: str) -> list[int]:
    """The ids in a multirange, ascending."""
    return [each for ids in _ranges(text) for each in ids]


def _ranges(text: str) -> Iterator[range]:
    for first, end in _RANGE.findall(text):
        yield range(int(first), int(end))
