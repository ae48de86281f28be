"""Audit events as the console shows them: a sentence, and each value before and after."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.dateparse import parse_duration
from django.utils.translation import gettext, gettext_lazy

from applications.models import AuditEvent
from console.audit.words import Words, words
from console.templatetags.words import duration, said

# The meaning of None, for words other than "none".
_NONE = {
    "until": gettext_lazy("permanent"),
    "token_lifetime": gettext_lazy("no end"),
    "ends_at": gettext_lazy("no end"),
}
_MOMENTS = {"until", "issued_before", "ends_at"}
_SPANS = {"token_lifetime", "reactivation_cooling_off"}
_LISTED_AT_MOST = 5


@dataclass(frozen=True)
class Change:
    """The values of one word, before and after, as text or datetimes. None: there was no value, or
    there is none now.
    """

    word: str
    before: str | datetime | None
    after: str | datetime | None

    @property
    def both(self) -> bool:
        return self.before is not None and self.after is not None and self.before != self.after


@dataclass(frozen=True)
class Line:
    """An audit event and its words."""

    event: AuditEvent
    words: Words
    changes: list[Change]

    @property
    def by(self) -> str:
        """The account name for staff. For an app key and for the system, the call or the task says
        more than their name.
        """
        staff = self.event.actor_kind == AuditEvent.ActorKind.STAFF
        return self.event.actor if staff else self.event.via

    @property
    def about_user(self) -> bool:
        """Whether the subject is the id of an app user, not a staff account or empty."""
        return self.words.about_user and bool(self.event.subject)


@dataclass(frozen=True)
class Group:
    """Lines of one act that follow each other and say the same about different subjects."""

    lines: list[Line]

    @property
    def first(self) -> Line:
        return self.lines[0]

    @property
    def is_several(self) -> bool:
        return len(self.lines) > 1

    @property
    def others(self) -> str:
        return gettext("{count} more").format(count=len(self.lines) - 1)


def groups(lines: Iterable[Line]) -> list[Group]:
    """The lines, grouped by act. A task of the system writes the lines of one act in batches."""

    def act(line: Line) -> tuple[object, ...]:
        event = line.event
        system = event.actor_kind == AuditEvent.ActorKind.SYSTEM
        at = None if system else event.at
        return event.type, event.actor_kind, event.actor, event.via, event.request_id, at

    return [Group(list(members)) for _, members in groupby(lines, key=act)]


def lines(events: Iterable[AuditEvent]) -> list[Line]:
    return [
        Line(
            event=event,
            words=words(event.type),
            changes=list(_changes(event.before or {}, event.after or {})),
        )
        for event in events
    ]


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for word in dict.fromkeys([*before, *after]):
        change = Change(
            word=said(word.replace("_", " ")),
            before=_display_value(word, before[word]) if word in before else None,
            after=_display_value(word, after[word]) if word in after else None,
        )
        if change.before or change.after:
            yield change


def _display_value(word: str, value: Any) -> str | datetime:
    """Moments are stored as text; as datetimes they are shown like all others."""
    if value is None:
        return str(_NONE.get(word, gettext_lazy("none")))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        more = len(value) - _LISTED_AT_MOST
        names = ", ".join(map(str, value[:_LISTED_AT_MOST]))
        if more <= 0:
            return names
        return gettext("{names} and {count} more").format(names=names, count=more)
    if isinstance(value, str) and word in _SPANS:
        span = parse_duration(value)
        return duration(span) if span is not None else value
    if isinstance(value, str) and word in _MOMENTS:
        return datetime.fromisoformat(value)
    return str(value)
