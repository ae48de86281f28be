"""Events of the past, executed in order of time.

Audit trail and ledgers are read newest first by primary key, so earlier events must also be written
earlier: steps are collected in any order and executed by time.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from applications.audit import Actor
from applications.models import AuditEvent, Environment
from users import registration
from users.models import AppUser


class Timeline:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self._steps: list[tuple[datetime, Callable[..., Any]]] = []

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)

    def add(self, when: datetime, verb: Callable[..., Any], **arguments: Any) -> None:
        """Call `verb(now=when, ...)` in `run`. Steps in the future are skipped."""
        if when <= self.now:
            self._steps.append((when, partial(verb, now=when, **arguments)))

    def register(self, environment: Environment, users: Iterable[AppUser]) -> None:
        """Register users at their `registered_at`, with one call for each day."""
        in_order = sorted(users, key=lambda user: user.registered_at)
        for _, day in groupby(in_order, key=lambda user: user.registered_at.date()):
            group = list(day)
            self.add(
                group[-1].registered_at,
                registration.register_new,
                environment=environment,
                users=group,
            )

    def run(self) -> None:
        for _, step in sorted(self._steps, key=lambda entry: entry[0]):
            step()


def staff(username: str) -> Actor:
    return Actor(
        kind=AuditEvent.ActorKind.STAFF, name=username, via="console", address="192.0.2.24"
    )


def app_server(environment: Environment, call: str) -> Actor:
    return Actor(
        kind=AuditEvent.ActorKind.APP_KEY,
        name=environment.app_key,
        via=call,
        address="198.51.100.7",
    )
