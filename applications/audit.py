"""The audit trail: one line per change, in the change's own transaction.

Invariants
----------
* `record` and `record_many` refuse to run outside a transaction: a change and its line stand or
  fall together.
* Only words of `CATALOGUE` are recorded. A word, once used, keeps its meaning.
* Plain registrations and reads by API leave no line (they would be most of the table, and tell
  nothing that the user's own row does not).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from applications import announcements
from applications.models import Application, AuditEvent, Environment

# What can happen, with the sentence that a reader sees.
CATALOGUE = {
    "application.created": "Application created",
    "application.renamed": "Application renamed",
    "environment.changed": "Settings changed",
    "application.doors_changed": "Vendors' doors changed",
    "environment.deletion_unlocked": "Deletion by API unlocked",
    "environment.deletion_locked": "Deletion by API locked",
    "secret.added": "App secret added",
    "secret.revoked": "App secret revoked",
    "webhook.added": "Webhook added",
    "webhook.changed": "Webhook changed",
    "webhook.secret_added": "Webhook secret added",
    "webhook.secret_revoked": "Webhook secret revoked",
    "webhook.disabled": "Webhook disabled",
    "webhook.enabled": "Webhook enabled",
    "webhook.removed": "Webhook removed",
    "webhook.replayed": "Webhook delivery sent again",
    "webhook.tested": "Webhook test event sent",
    "quota.reached": "Quota threshold reached",
    "member.added": "Member added",
    "member.invited": "Invitation link made",
    "member.changed": "Member's role changed",
    "member.removed": "Member removed",
    "tokens.revoked": "All access tokens revoked",
    "user.registered": "User registered by staff",
    "user.updated": "User updated",
    "user.deleted": "User deleted",
    "user.deactivated": "User deactivated",
    "user.erased": "Deactivated user's data erased",
    "user.reactivated": "User reactivated",
    "user.tokens_expired": "Access tokens expired",
    "user.token_issued": "Access token issued to staff",
    "user.kicked": "Connections closed",
    "users.sampled": "Sample users loaded",
    "deletion.previewed": "Deletion previewed",
    "deletion.started": "Deletion started",
    "deletion.finished": "Deletion finished",
    "deletion.cancelled": "Deletion cancelled",
    "user.password_changed": "Password changed",
    "profile.changed": "Profile changed",
    "profile.cleared": "Profile cleared",
    "attributes.changed": "Attributes changed",
    "attributes.cleared": "Attributes cleared",
    "tags.changed": "Tags changed",
    "remarks.changed": "Remarks changed",
    "friend.requested": "Friend requested",
    "friend.added": "Friend added",
    "friend.declined": "Friend request declined",
    "friend.removed": "Friend removed",
    "friend.described": "Friend's alias changed",
    "friend.permission_changed": "Friend permission changed",
    "mute.imposed": "Muted",
    "mute.lifted": "Mute lifted",
    "ban.imposed": "Banned",
    "ban.changed": "Ban changed",
    "ban.lifted": "Ban lifted",
    "ban.expired": "Ban ended",
    "blocklist.added": "Added to blocklist",
    "blocklist.removed": "Removed from blocklist",
    "allowlist.added": "Added to allowlist",
    "allowlist.removed": "Removed from allowlist",
    "allowlist.switched": "Allowlist switched",
}


class OutsideTransaction(RuntimeError):
    """An audit line was asked for where no transaction ties it to its change."""


@dataclass(frozen=True)
class Actor:
    """Who makes a change, and by which door.

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
    type: str,
    *,
    by: Actor,
    now: datetime,
    environment: Environment | None = None,
    application: Application | None = None,
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one line. Give the environment, or for changes above environments the application."""
    record_many(
        type,
        by=by,
        now=now,
        environment=environment,
        application=application,
        changes=[(subject, before, after)],
    )


def record_many(
    type: str,
    *,
    by: Actor,
    now: datetime,
    changes: Iterable[tuple[str, dict[str, Any] | None, dict[str, Any] | None]],
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
    type: str,
    *,
    by: Actor,
    now: datetime,
    application_id: int,
    environment_id: int | None,
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """An unsaved line, for verbs that touch many environments at once; save them with `write`."""
    if type not in CATALOGUE:
        raise ValueError(f"{type} is not in the catalogue of events")
    return AuditEvent(
        type=type,
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
        raise OutsideTransaction("an audit line belongs into its change's transaction")
    written = AuditEvent.objects.bulk_create(list(lines), batch_size=500)
    announcements.announce_recorded(written)
