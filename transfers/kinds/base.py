"""What every kind of import has, and the columns that several of them have."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from applications.access import Permission
from applications.audit import Actor
from applications.models import Environment
from transfers.models import ImportRow
from users import identity

Result = ImportRow.Result


class Verdict(NamedTuple):
    """What an import does with a row, or did; `problem`: why not."""

    result: ImportRow.Result
    problem: str = ""


READY, DONE, EXISTS = Verdict(Result.READY), Verdict(Result.DONE), Verdict(Result.EXISTS)
# By the row's primary key.
Verdicts = dict[int, Verdict]


def performed(found: Verdicts) -> Verdicts:
    """The verdicts after what was ready is done."""
    return {pk: DONE if verdict == READY else verdict for pk, verdict in found.items()}


@dataclass(frozen=True)
class Column:
    """`check` returns the text as the verb takes it, and raises `Wrong`."""

    name: str
    check: Callable[[str], str]
    help: str
    required: bool = False


class Wrong(Exception):
    """A cell that cannot be imported; the text says why."""


class Kind(ABC):
    """A kind of list. `key` are the columns that say what a row is about."""

    name: str
    title: str
    permission: Permission
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    # Rows in one transaction. Each id is locked until it ends.
    batch: int = 1_000

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    def parsed(self, values: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """The cells of our columns as the verb takes them, and the first problem or ""."""
        found = {}
        for column in self.columns:
            text = values.get(column.name, "")
            if not text:
                if column.required:
                    return {}, f"{column.name}: is empty"
                continue
            try:
                found[column.name] = column.check(text)
            except Wrong as error:
                return {}, f"{column.name}: {error}"
        return found, self.objection(found)

    def objection(self, values: Mapping[str, str]) -> str:
        """Why these cells do not fit each other, or ""."""
        return ""

    def key_of(self, values: Mapping[str, str]) -> str:
        return " ".join(values[name] for name in self.key)

    @abstractmethod
    def verdicts(
        self,
        environment: Environment,
        rows: Sequence[ImportRow],
        *,
        by: Actor,
        ahead: int,
        now: datetime,
    ) -> Verdicts:
        """What would become of these rows. `ahead`: how many rows before them are
        ready, where the environment has a limit; at most as many.
        """

    @abstractmethod
    def perform(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> Verdicts:
        """Import these rows, in a transaction; what became of each."""


def user_id(text: str) -> str:
    try:
        return identity.check_user_id(text)
    except identity.InvalidUserId as error:
        raise Wrong(str(error)) from None


def moment(text: str) -> str:
    """A time as ISO 8601. Taken are ISO 8601 and Unix time in seconds or milliseconds; a time
    without an offset is UTC.
    """
    try:
        if text.isdecimal() and text.isascii():
            seconds = int(text) / (1000 if len(text) >= 12 else 1)
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            found = datetime.fromisoformat(text)
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Wrong("Not a time, such as 2026-03-02T12:00:00Z or 1772452800000") from None
    return found.isoformat()


def end(text: str) -> str:
    """A time, or "permanent"."""
    if text.lower() == "permanent":
        return "permanent"
    try:
        return moment(text)
    except Wrong as error:
        raise Wrong(f"{error}, and not “permanent”") from None


def end_of(values: Mapping[str, Any]) -> datetime | None:
    """None is permanent."""
    text = values["expires_at"]
    return None if text == "permanent" else datetime.fromisoformat(text)


USER_ID = Column("user_id", user_id, "Latin letters, digits and + = . _ -, at most 64", True)
END = Column("expires_at", end, "A time, or “permanent”", True)
