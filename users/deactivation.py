"""Deactivates users, and reactivates their ids.

Invariants
----------
* By API only: this module refuses staff, whether they use the console or the admin. An environment
  may say that tombstones end after a time (`applications.retention`); their ids are enabled then.
* One transaction deletes the user's row (with tokens, name, avatar and profile) and all other data
  of the user (`users.erasure`), asks connections to close, and creates the tombstone, which
  disables the id. From that commit on, no data of the user is returned or delivered.
* Only the user's messages are still stored, and delivered to nobody (`users.messages`). A task
  erases them soon after, or reactivation if it comes first. `erasure_health` reports how late the
  task is.
* A ban outlives deactivation, so that deactivation is no way out of a ban.
* A deactivated id cannot register until it is reactivated. Reactivation takes no place in the quota
  and restores no data.
"""

import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction

from applications import audit, retention
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import AuditEvent, Environment
from users import erasure, identity, presence
from users.models import AppUser, DeactivatedUser, DeactivatedUserQuerySet, KickReason
from users.presence import Kick

ERASURE_BATCH = 100
# Beyond this, erasure counts as overdue on the health page. A delay discloses nothing.
OVERDUE_AFTER = timedelta(minutes=5)


class ByApiOnly(Exception):
    """Users are deactivated and reactivated by API call, not by staff."""

    def __init__(self) -> None:
        super().__init__("Users are deactivated and reactivated by API only")


class CoolingOff(Exception):
    """Reactivation is not possible before `until`, the end of the cooling-off time."""

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
    """Deactivate these ids, registered or not. Returns the operation's id, four groups of four
    characters.

    Ids that are deactivated already do not change. Raises `ByApiOnly`, `InvalidUserId`.
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
    # If the broker is not available, the periodic task erases the messages.
    transaction.on_commit(
        lambda: current_app.send_task("users.tasks.erase_deactivated"), robust=True
    )
    return operation_id


def erase_pending(*, now: datetime, limit: int = ERASURE_BATCH) -> int:
    """Erase the messages of up to `limit` deactivated users, each in its own transaction; return
    how many users. Safe to run concurrently: rows that another worker has locked are skipped.
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


def reactivate(
    *, environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime
) -> str:
    """Enable these ids again; return the operation's id. Ids that are not deactivated are skipped.

    Erased data stays erased, and messages that are not erased yet are erased first.
    Raises `ByApiOnly`, `InvalidUserId`, `CoolingOff` (no id is reactivated then).
    """
    _require_api(by)
    return _reactivate(environment, user_ids, by, now)


def reactivate_old(*, now: datetime, limit: int = ERASURE_BATCH) -> int:
    """Enable up to `limit` ids of each environment again whose tombstones it no longer keeps;
    return how many.
    """
    enabled = 0
    for environment, kept in retention.environments_that_forget(retention.TOMBSTONES):
        over = now - max(kept, environment.reactivation_cooling_off)
        old = DeactivatedUser.objects.filter(environment=environment, deactivated_at__lte=over)
        oldest = old.order_by("deactivated_at", "pk").values_list("user_id", flat=True)
        if ids := list(oldest[:limit]):
            _reactivate(environment, ids, Actor.system("retention"), now)
            enabled += len(ids)
    return enabled


@transaction.atomic
def _reactivate(environment: Environment, user_ids: Iterable[str], by: Actor, now: datetime) -> str:
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
    # Erases also what was stored for the deactivated ids since (tags, for example).
    deactivated_ids = [each.user_id for each in tombstones]
    erasure.erase(
        environment=environment,
        user_ids=deactivated_ids,
        occasion=erasure.Occasion.DEACTIVATION,
        now=now,
    )
    erased = erasure.erase_messages(environment=environment, user_ids=deactivated_ids)
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
    """`waiting` is the time since the first deactivation whose messages are not erased; zero if
    there is none.
    """

    waiting: timedelta

    @property
    def is_well(self) -> bool:
        return self.waiting < OVERDUE_AFTER


def erasure_health(*, now: datetime) -> ErasureHealth:
    """The health of all environments together. Reads one row."""
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
