"""Registers app users, for pages and APIs. `users.admission` decides who is admitted.

Invariants
----------
* Registering a known id takes no new place: it issues a further token and updates the name and
  avatar that are passed.
* A refused registration changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import quota, tokens
from users.admission import Newcomer, UserDeactivated, admit, admit_one
from users.fields import in_any_case, time_ordered_uuid
from users.models import AppUser

__all__ = ["UserDeactivated"]

SAMPLE_PREFIX = "sample-"


class AlreadyRegistered(Exception):
    """The caller asked for a new user, and this id is registered."""


class NotInProduction(Exception):
    """Staff get users' tokens in development only; in production they could impersonate users."""

    def __init__(self) -> None:
        super().__init__(gettext("In production, access tokens are issued to your app server only"))


class Registration(NamedTuple):
    """A registered user. `life` is the primary key; `created`: the id was not registered before."""

    user_id: str
    life: int
    token: str
    created: bool


def register(
    *,
    environment: Environment,
    user_id: str,
    now: datetime,
    name: str | None = None,
    avatar_url: str | None = None,
    token_lifetime: timedelta | None = None,
    by: Actor | None = None,
    lease: timedelta | None = None,
) -> Registration:
    """Issue a token for an id, and register the id if it is unknown.

    A name or avatar of None is not given: a known user keeps theirs. A lease of None is not given
    either: a known user keeps theirs, a new one gets that of the rules.
    Raises what `admission.admit` raises.
    """
    newcomer = Newcomer(user_id, registered_at=now, name=name, avatar_url=avatar_url)
    admitted = admit_one(
        environment=environment, newcomer=newcomer, renew=True, by=by, lease=lease, now=now
    )
    created = user_id in admitted.new
    life = (admitted.new if created else admitted.known)[user_id]
    token = tokens.issue_for_life(
        life, user_id=user_id, environment=environment, now=now, lifetime=token_lifetime
    )
    return Registration(user_id, life, token, created)


def register_new(
    *,
    environment: Environment,
    users: Sequence[AppUser],
    now: datetime,
    leave_out_deactivated: bool = False,
    by: Actor | None = None,
    lease: timedelta | None = None,
) -> list[AppUser]:
    """Register several unsaved users, all or none; return the new ones.

    `registered_at` defaults to `now`. Ids that are registered already do not change and are not
    returned. If an id is given twice, the first counts. Raises what `admission.admit` raises;
    `QuotaExceeded` counts the new ones.
    """
    wanted = {user.user_id: user for user in reversed(users)}
    users = [user for user in users if user is wanted[user.user_id]]
    for user in users:
        user.environment, user.registered_at = environment, user.registered_at or now
        user.uuid = time_ordered_uuid(user.registered_at)
    admitted = admit(
        environment=environment,
        newcomers=[
            Newcomer(
                user.user_id,
                registered_at=user.registered_at,
                name=user.name,
                avatar_url=user.avatar_url,
                password=user.password,
                last_seen_at=user.last_seen_at,
                uuid=user.uuid,
            )
            for user in users
        ],
        leave_out_deactivated=leave_out_deactivated,
        by=by,
        lease=lease,
        now=now,
    )
    created = [user for user in users if user.user_id in admitted.new]
    for user in created:
        user.pk, user._state.adding = admitted.new[user.user_id], False
    return created


@transaction.atomic
def register_by_staff(
    *,
    environment: Environment,
    user_id: str,
    name: str,
    by: Actor,
    now: datetime,
    lease: timedelta | None = None,
) -> Registration:
    """Register a test user from the console. Unlike registrations by API, it is recorded in the
    audit log. Raises what `register` raises, and `AlreadyRegistered`.
    """
    users = [AppUser(user_id=user_id, name=name)]
    created = register_new(environment=environment, users=users, by=by, lease=lease, now=now)
    if not created:
        raise AlreadyRegistered
    audit.record(
        AuditType.USER_REGISTERED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        after={"name": name, **({"lease": int(lease.total_seconds())} if lease else {})},
    )
    [user] = created
    return Registration(user_id, user.pk, tokens.issue(user, now=now), created=True)


@transaction.atomic
def issue_to_staff(
    *, environment: Environment, user_id: str, lifetime: timedelta, by: Actor, now: datetime
) -> Registration:
    """Issue a token to staff, who try out a user's client; register the id if it is unknown. The
    environment's token lifetime is the maximum. Raises what `register` raises, and
    `NotInProduction`.
    """
    if not environment.is_development:
        raise NotInProduction
    longest = environment.token_lifetime
    registration = register(
        environment=environment,
        user_id=user_id,
        now=now,
        token_lifetime=min(lifetime, longest) if longest is not None else lifetime,
        by=by,
    )
    audit.record(
        AuditType.USER_REGISTERED if registration.created else AuditType.USER_TOKEN_ISSUED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
    )
    return registration


@transaction.atomic
def load_samples(*, environment: Environment, count: int, by: Actor, now: datetime) -> int:
    """Register those of `count` sample users that are missing, up to the free places; return how
    many are new.
    """
    quota.lock(environment)
    free = quota.free_places(environment)
    names = {f"{SAMPLE_PREFIX}{number:02}": f"Sample {number}" for number in range(1, count + 1)}
    known = AppUser.objects.filter(in_any_case(names), environment=environment)
    taken = {user_id.lower() for user_id in known.values_list("user_id", flat=True)}
    samples = [
        AppUser(user_id=user_id, name=name)
        for user_id, name in names.items()
        if user_id not in taken
    ][:free]
    created = register_new(environment=environment, users=samples, by=by, now=now)
    if created:
        audit.record(
            AuditType.USERS_SAMPLED,
            environment=environment,
            by=by,
            now=now,
            after={"count": len(created)},
        )
    return len(created)
