"""The audit trail: one line per change, in the transaction of the change.

Invariants
----------
* `record` and `record_many` refuse to run outside a transaction: a change and its line commit or
  roll back together.
* Every line has an `AuditType`. A type never changes its meaning.
* Plain registrations and reads by API write no line: they would fill the table and add nothing to
  the user's own row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from applications import announcements
from applications.audit_types import AuditType
from applications.models import Application, AuditEvent, Environment


class OutsideTransaction(RuntimeError):
    """An audit line was written outside a transaction."""


@dataclass(frozen=True)
class Actor:
    """Who makes a change, and through which door.

    `via` is free text for people: "console", "admin", a vendor's call, "ban sweep".
    """

    kind: AuditEvent.ActorKind
    name: str
    via: str
    address: str | None = None
    request_id: str = ""

    @classmethod
    def system(cls, via: str) -> "Actor":
        return cls(kind=AuditEvent.ActorKind.SYSTEM, name="system", via=via)

    def __str__(self) -> str:
        return self.name


def record(
    type: AuditType,
    *,
    by: Actor,
    now: datetime,
    environment: Environment | None = None,
    application: Application | None = None,
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one line. Pass the environment, or the application if the change concerns no single
    environment.
    """
    record_many(
        type,
        by=by,
        now=now,
        environment=environment,
        application=application,
        changes=[(subject, before, after)],
    )


def record_many(
    type: AuditType,
    *,
    by: Actor,
    now: datetime,
    changes: Iterable[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]],
    environment: Environment | None = None,
    application: Application | None = None,
) -> None:
    """Write a line for each (subject, before, after), in one statement."""
    owner = application.pk if application else environment.application_id  # type: ignore[union-attr]
    write(
        line(
            type,
            by=by,
            now=now,
            application_id=owner,
            environment_id=environment.pk if environment else None,
            subject=subject,
            before=before,
            after=after,
        )
        for subject, before, after in changes
    )


def line(
    type: AuditType,
    *,
    by: Actor,
    now: datetime,
    application_id: int,
    environment_id: int | None,
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """An unsaved line, for verbs that change several environments at once; save it with `write`."""
    return AuditEvent(
        type=AuditType(type),
        at=now,
        application_id=application_id,
        environment_id=environment_id,
        subject=subject,
        actor_kind=by.kind,
        actor=by.name,
        via=by.via,
        address=by.address,
        request_id=by.request_id,
        before=before,
        after=after,
    )


def write(lines: Iterable[AuditEvent]) -> None:
    if not connection.in_atomic_block:
        raise OutsideTransaction("write an audit line in the transaction of its change")
    written = AuditEvent.objects.bulk_create(list(lines), batch_size=500)
    announcements.announce_recorded(written)
