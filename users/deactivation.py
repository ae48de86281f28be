"""Deactivate a user for good, or until their id is reactivated.

Invariants
----------
* For the API alone: the domain refuses staff, whatever page or admin they come from.
* In one transaction the user's row goes (tokens, name, avatar and profile with it), and all else
  that is theirs (`users.erasure`); connections are asked to close, and the tombstone disables the
  id. From that commit on nothing of the user is answered or delivered.
* Only their messages are still stored, and given to nobody (`users.messages`). A task erases them
  soon after, or reactivation if that comes first. `erasure_health` says how late the task is.
* A ban outlives deactivation, or this would be a way out of it.
* A deactivated id cannot register. Reactivating it takes no place and brings nothing back.
"""

import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import AuditEvent, Environment
from users import erasure, identity, presence
from users.models import AppUser, DeactivatedUser, DeactivatedUserQuerySet, KickReason
from users.presence import Kick

ERASURE_BATCH = 100
# Beyond this, erasure counts as overdue on the health page. It may take a while, and hides nothing.
OVERDUE_AFTER = timedelta(minutes=5)


class ByApiOnly(Exception):
    """Users are deactivated and reactivated by API call, not by staff."""

    def __init__(self) -> None:
        super().__init__("Users are deactivated and reactivated by API only")


class CoolingOff(Exception):
    """Too soon after deactivation; `until` says when reactivation is possible."""

    def __init__(self, user_ids: Iterable[str], until: datetime):
        self.user_ids, self.until = sorted(user_ids), until
        super().__init__(
            f"Cannot be reactivated before {until:%Y-%m-%d %H:%M:%S} UTC: "
            f"{', '.join(self.user_ids)}"
        )


@transaction.atomic
def deactivate(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> str:
    """Disable these ids, registered or not; the operation's id, four groups of four characters.

    An id that is deactivated already stays as it is. Raises `ByApiOnly`, `InvalidUserId`.
    """
    _require_api(by)
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    operation_id = _operation_id()
    already = set(_tombstones(environment, wanted).values_list("user_id", flat=True))
    fresh = [user_id for user_id in wanted if user_id not in already]
    users = AppUser.objects.filter(environment=environment, user_id__in=fresh)
    registered = set(users.values_list("user_id", flat=True))
    users.delete()
    erased = erasure.erase(
        environment=environment,
        user_ids=fresh,
        occasion=erasure.Occasion.DEACTIVATION,
        now=now,
    )
    kick = Kick(KickReason.DEACTIVATED)
    presence.request_disconnect(environment=environment, kicks=dict.fromkeys(fresh, kick), now=now)
    DeactivatedUser.objects.bulk_create(
        DeactivatedUser(
            environment=environment,
            user_id=user_id,
            deactivated_at=now,
            deactivated_by=by.name,
            via=by.via,
            operation_id=operation_id,
            was_registered=user_id in registered,
            erased={
                **({"profile": 1} if user_id in registered else {}),
                **erased.get(user_id, {}),
            },
        )
        for user_id in fresh
    )
    audit.record_many(
        AuditType.USER_DEACTIVATED,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (user_id, {"registered": user_id in registered}, {"operation": operation_id})
            for user_id in fresh
        ],
    )
    # If the broker is away, the periodic sweep erases.
    transaction.on_commit(
        lambda: current_app.send_task("users.tasks.erase_deactivated"), robust=True
    )
    return operation_id


def erase_pending(*, now: datetime, limit: int = ERASURE_BATCH) -> int:
    """Erase what is left of up to `limit` deactivated users, each in a transaction of its own; how
    many. Safe side by side: whom another worker has in hand is skipped.
    """
    waiting = DeactivatedUser.objects.awaiting_erasure().order_by("pk")
    keys = list(waiting.values_list("pk", flat=True)[:limit])
    return sum(_erase_messages(key, now=now) for key in keys)


@transaction.atomic
def _erase_messages(key: int, *, now: datetime) -> bool:
    tombstone = (
        DeactivatedUser.objects.awaiting_erasure()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("environment")
        .filter(pk=key)
        .first()
    )
    if tombstone is None:
        return False
    erased = erasure.erase_messages(environment=tombstone.environment, user_ids=[tombstone.user_id])
    _note_erased(tombstone, messages=erased[tombstone.user_id], now=now)
    return True


def _note_erased(tombstone: DeactivatedUser, *, messages: int, now: datetime) -> None:
    if messages:
        tombstone.erased = {**tombstone.erased, "messages": messages}
    tombstone.erased_at = now
    tombstone.save(update_fields=["erased", "erased_at"])
    audit.record(
        AuditType.USER_ERASED,
        environment=tombstone.environment,
        subject=tombstone.user_id,
        by=Actor.system("erasure"),
        now=now,
        after={"operation": tombstone.operation_id, **tombstone.erased},
    )


@transaction.atomic
def reactivate(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> str:
    """Enable these ids again; the operation's id. Those that are not deactivated are no error.

    What was erased stays erased, and messages that still wait for it are erased first.
    Raises `ByApiOnly`, `InvalidUserId`, `CoolingOff` (then none is reactivated).
    """
    _require_api(by)
    wanted = identity.check_user_ids(user_ids)
    identity.lock(environment, wanted)
    tombstones = list(_tombstones(environment, wanted).select_for_update().order_by("pk"))
    cooling_off = environment.reactivation_cooling_off
    too_soon = [each for each in tombstones if each.deactivated_at + cooling_off > now]
    if too_soon:
        raise CoolingOff(
            [each.user_id for each in too_soon],
            max(each.deactivated_at for each in too_soon) + cooling_off,
        )
    # Also what was kept for the ids since: nothing comes back with them.
    known = [each.user_id for each in tombstones]
    erasure.erase(
        environment=environment,
        user_ids=known,
        occasion=erasure.Occasion.DEACTIVATION,
        now=now,
    )
    erased = erasure.erase_messages(environment=environment, user_ids=known)
    for tombstone in tombstones:
        if tombstone.erased_at is None:
            tombstone.environment = environment
            _note_erased(tombstone, messages=erased[tombstone.user_id], now=now)
    DeactivatedUser.objects.filter(pk__in=[each.pk for each in tombstones]).delete()
    operation_id = _operation_id()
    audit.record_many(
        AuditType.USER_REACTIVATED,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (
                each.user_id,
                {"deactivated_at": each.deactivated_at.isoformat()},
                {"operation": operation_id},
            )
            for each in tombstones
        ],
    )
    return operation_id


@dataclass(frozen=True)
class ErasureHealth:
    """`waiting` is how long ago the first user was deactivated whose messages are still stored;
    zero when there is none.
    """

    waiting: timedelta

    @property
    def is_well(self) -> bool:
        return self.waiting < OVERDUE_AFTER


def erasure_health(*, now: datetime) -> ErasureHealth:
    """Of all environments: one row of the index over what waits."""
    first = DeactivatedUser.objects.awaiting_erasure().order_by("pk").first()
    return ErasureHealth(now - first.deactivated_at if first else timedelta(0))


def reactivation_possible_from(
    *, environment: Environment, tombstone: DeactivatedUser, now: datetime
) -> datetime | None:
    """The end of the cooling-off time; None when it is over."""
    end = tombstone.deactivated_at + environment.reactivation_cooling_off
    return end if end > now else None


def _tombstones(environment: Environment, user_ids: list[str]) -> DeactivatedUserQuerySet:
    return DeactivatedUser.objects.filter(environment=environment, user_id__in=user_ids)


def _require_api(by: Actor) -> None:
    if by.kind != AuditEvent.ActorKind.APP_KEY:
        raise ByApiOnly


def _operation_id() -> str:
    alphabet = string.ascii_uppercase + string.digits
    groups = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
    return "-".join(groups)
