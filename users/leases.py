"""Leases of test users: an end, after which the user is deleted.

Invariants
----------
* Only in development.
* The clock alone ends a lease. The sweep (`users.lease_sweep`) then deletes the user, online or
  not, by the same kind of job as the console does. A place has to come back at the time that was
  said: a client that forgot to disconnect would hold it for ever. The deletion can be undone.
* A pin suspends the lease: see `users.pins`.
* A lease that is given at registration, or by a call that registers again, leaves no audit line, as
  the registration does not.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity
from users.models import AppUser, DeletionItem, DeletionJob, Place
from users.tokens import UnknownUsers

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=365)


class LeaseRefused(Exception):
    """A lease that cannot be given; the text says why."""


class LeasesInProduction(LeaseRefused):
    """A lease or a pin in production, where no user is deleted."""

    def __init__(self) -> None:
        super().__init__(gettext("Leases and pins are for test users, in development only"))


class InvalidLease(LeaseRefused):
    """A lease that is too short, too long or not a number."""

    def __init__(self) -> None:
        super().__init__(gettext("A lease lasts from 1 minute to 365 days"))


class BeingDeleted(Exception):
    """A running job is about to delete the user."""

    def __init__(self, user_id: str):
        super().__init__(gettext("{user_id} is being deleted").format(user_id=user_id))


def check(environment: Environment, lasts: timedelta) -> None:
    """Raises `LeasesInProduction`, `InvalidLease`."""
    require_development(environment)
    if not SHORTEST <= lasts <= LONGEST:
        raise InvalidLease


def require_development(environment: Environment) -> None:
    """Raises `LeasesInProduction`."""
    if not environment.is_development:
        raise LeasesInProduction


@transaction.atomic
def change(
    *, environment: Environment, user_id: str, until: datetime | None, by: Actor, now: datetime
) -> None:
    """Give a user a lease, move its end, or take the lease away (None).

    Raises `LeasesInProduction`, `InvalidLease`, `UnknownUsers`, `BeingDeleted`.
    """
    require_development(environment)
    if until is not None:
        check(environment, until - now)
    place = place_of(environment, user_id)
    before = place.lease_until
    if before == until:
        return
    # The sweep has moved an ended lease into a job, which does not ask again.
    running = DeletionJob.objects.running().filter(environment=environment)
    if DeletionItem.objects.pending().filter(job__in=running, user_id=user_id).exists():
        raise BeingDeleted(user_id)
    place.lease_until = until
    place.save(update_fields=["lease_until"])
    audit.record(
        AuditType.LEASE_CHANGED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        before={"until": before.isoformat() if before else None},
        after={"until": until.isoformat() if until else None},
    )


def renew(lives: Mapping[str, int], *, until: datetime) -> None:
    """Set the end of these registered users' leases; `lives` are the values. In the transaction of
    the call that registers them again.
    """
    Place.objects.bulk_create(
        # Sorted, so that two callers cannot deadlock.
        [Place(user_id=life, lease_until=until) for life in sorted(lives.values())],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["lease_until"],
    )


def place_of(environment: Environment, user_id: str) -> Place:
    """The locked place of a registered user, added if nothing was known of it. Raises
    `UnknownUsers`.
    """
    identity.lock(environment, [identity.check_user_id(user_id)])
    user = AppUser.objects.filter(environment=environment, user_id=user_id).first()
    if user is None:
        raise UnknownUsers([user_id])
    Place.objects.bulk_create([Place(user=user)], ignore_conflicts=True)
    return Place.objects.select_for_update().get(pk=user.pk)
