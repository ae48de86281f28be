"""Deactivate a user for good, or until their id is reactivated.

Invariants
----------
* For the API alone: the domain refuses staff, whatever page or admin they come from.
* In one transaction the user's row goes (tokens, name and avatar with it), connections are asked
  to close, and the tombstone disables the id. What other storeys keep is erased by a task soon
  after, or by reactivation if that comes first.
* A ban outlives deactivation, or this would be a way out of it.
* A deactivated id cannot register. Reactivating it takes no place and brings nothing back.
"""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from celery import current_app
from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.models import AuditEvent, Environment
from users import erasure, identity, presence
from users.models import AppUser, DeactivatedUser, DeactivatedUserQuerySet, KickReason
from users.presence import Kick

ERASURE_BATCH = 100


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
            erased={"profile": 1} if user_id in registered else {},
        )
        for user_id in fresh
    )
    audit.record_many(
        "user.deactivated",
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


@transaction.atomic
def erase_pending(*, now: datetime, limit: int = ERASURE_BATCH) -> int:
    """Erase what is left of some deactivated users; how many. Safe side by side."""
    tombstones = list(
        DeactivatedUser.objects.awaiting_erasure()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("environment")
        .order_by("pk")[:limit]
    )
    for tombstone in sorted(tombstones, key=attrgetter("environment_id")):
        _erase(tombstone, now=now)
    return len(tombstones)


def _erase(tombstone: DeactivatedUser, *, now: datetime) -> None:
    erased = erasure.erase_belongings(
        environment=tombstone.environment,
        user_ids=[tombstone.user_id],
        occasion=erasure.Occasion.DEACTIVATION,
        now=now,
    )
    tombstone.erased = {**tombstone.erased, **erased}
    tombstone.erased_at = now
    tombstone.save(update_fields=["erased", "erased_at"])
    audit.record(
        "user.erased",
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

    What was erased stays erased, and what still waited for it is erased first.
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
    for tombstone in tombstones:
        if tombstone.erased_at is None:
            tombstone.environment = environment
            _erase(tombstone, now=now)
    DeactivatedUser.objects.filter(pk__in=[each.pk for each in tombstones]).delete()
    operation_id = _operation_id()
    audit.record_many(
        "user.reactivated",
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
