"""Mutes: a user may connect, but not write in one kind of conversation.

Invariants
----------
* A mute ends at `expires_at`; nothing is written when it does.
* A user has at most one mute per channel; muting again sets a new end.
* Like a ban, a mute outlives deactivation.
* Muting and sending both hold `identity.lock`: after the mute commits, no message gets through.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from moderation.models import Mute, MuteQuerySet
from users import identity


class InvalidMuteEnd(Exception):
    """A mute must end after it starts."""


@transaction.atomic
def impose(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    channel: Mute.Channel,
    expires_at: datetime | None,
    by: Actor,
    now: datetime,
) -> None:
    """Mute these ids until `expires_at`; None is permanent. Raises `InvalidMuteEnd`."""
    if expires_at is not None and expires_at <= now:
        raise InvalidMuteEnd(gettext("A mute must end in the future."))
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    Mute.objects.bulk_create(
        (
            Mute(
                environment=environment,
                user_id=user_id,
                channel=channel,
                imposed_at=now,
                imposed_by=by.name,
                expires_at=expires_at,
            )
            # Sorted, so that two callers cannot deadlock.
            for user_id in sorted(wanted)
        ),
        update_conflicts=True,
        unique_fields=["environment", "user_id", "channel"],
        update_fields=["imposed_at", "imposed_by", "expires_at"],
    )
    after = {"channel": channel, "until": expires_at.isoformat() if expires_at else None}
    audit.record_many(
        AuditType.MUTE_IMPOSED,
        environment=environment,
        by=by,
        now=now,
        changes=[(user_id, None, after) for user_id in wanted],
    )


@transaction.atomic
def lift(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    channel: Mute.Channel,
    by: Actor,
    now: datetime,
) -> None:
    """Unmute these ids. It is not an error if some are not muted."""
    mutes = Mute.objects.filter(
        environment=environment, user_id__in=identity.check_user_ids(user_ids), channel=channel
    )
    lifted = list(mutes.values_list("user_id", flat=True))
    mutes.delete()
    audit.record_many(
        AuditType.MUTE_LIFTED,
        environment=environment,
        by=by,
        now=now,
        changes=[(user_id, {"channel": channel}, None) for user_id in lifted],
    )


def in_channel(*, environment: Environment, channel: Mute.Channel, now: datetime) -> MuteQuerySet:
    """The mutes of a channel that are in force; an index serves them by primary key."""
    return Mute.objects.in_force(now).filter(environment=environment, channel=channel)


def by_channel(
    *, environment: Environment, user_id: str, now: datetime
) -> dict[Mute.Channel, Mute]:
    """The user's mutes that are in force, by channel."""
    mutes = Mute.objects.in_force(now).filter(environment=environment, user_id=user_id)
    return {Mute.Channel(mute.channel): mute for mute in mutes}
