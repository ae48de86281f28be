"""Pins: they keep a test user out of every plan and every lease.

Invariants
----------
* Only in development.
* Jobs and calls that name nobody ("delete the oldest") pass over pinned users, also over those
  pinned while the job runs. Whoever names one user, in the console or by API, deletes it.
* A pin suspends a lease and leaves it as it is: once the user is unpinned, a lease that has ended
  deletes the user.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import leases
from users.models import AppUser, Place


@transaction.atomic
def pin(*, environment: Environment, user_id: str, by: Actor, now: datetime) -> None:
    """Pin a user; pinning twice is no error. Raises `leases.LeasesInProduction`, `UnknownUsers`."""
    leases.require_development(environment)
    place = leases.place_of(environment, user_id)
    if place.pinned_at is not None:
        return
    place.pinned_at, place.pinned_by = now, by.name
    place.save(update_fields=["pinned_at", "pinned_by"])
    audit.record(AuditType.USER_PINNED, environment=environment, subject=user_id, by=by, now=now)


@transaction.atomic
def unpin(*, environment: Environment, user_id: str, by: Actor, now: datetime) -> None:
    """Remove a pin; it is no error if there is none. Raises `leases.LeasesInProduction`,
    `UnknownUsers`.
    """
    leases.require_development(environment)
    place = leases.place_of(environment, user_id)
    if place.pinned_at is None:
        return
    place.pinned_at, place.pinned_by = None, ""
    place.save(update_fields=["pinned_at", "pinned_by"])
    audit.record(AuditType.USER_UNPINNED, environment=environment, subject=user_id, by=by, now=now)


def among(users: Iterable[AppUser]) -> set[int]:
    """The primary keys of those of these users who are pinned."""
    pinned = Place.objects.filter(user__in=list(users), pinned_at__isnull=False)
    return set(pinned.values_list("user_id", flat=True))
