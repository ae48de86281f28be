"""Register app users: what the doors call. Who is admitted is decided in `users.admission`.

Invariants
----------
* A known id takes no new place: registering it again gives a further token and, where a name or
  avatar is passed, updates them.
* A refused registration changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import quota, tokens
from users.admission import Newcomer, UserDeactivated, admit
from users.fields import in_any_case
from users.models import AppUser

__all__ = ["UserDeactivated"]

SAMPLE_PREFIX = "sample-"


class AlreadyRegistered(Exception):
    """Asked for new users only, and this id is taken."""


class NotInProduction(Exception):
    """Staff get users' tokens in development alone; elsewhere they would be somebody else."""

    def __init__(self) -> None:
        super().__init__("In production, access tokens go to your app server alone")


@dataclass(frozen=True)
class Registration:
    user: AppUser
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
) -> Registration:
    """Give an id a token; from its first one on it is registered.

    A name or avatar of None is not given: a known user keeps theirs.
    Raises as `admission.admit`.
    """
    newcomer = Newcomer(user_id, registered_at=now, name=name, avatar_url=avatar_url)
    admitted = admit(environment=environment, newcomers=[newcomer], renew=True, now=now)
    created = user_id in admitted.new
    user = _of_life((admitted.new if created else admitted.known)[user_id], environment, user_id)
    return Registration(user, tokens.issue(user, now=now, lifetime=token_lifetime), created)


def _of_life(life: int, environment: Environment, user_id: str) -> AppUser:
    """The user with what is known of them here; the rest is read when it is asked for."""
    user = AppUser.from_db(
        None, ["id", "environment_id", "user_id"], [life, environment.pk, user_id]
    )
    user.environment = environment
    return user


def register_new(
    *,
    environment: Environment,
    users: Sequence[AppUser],
    now: datetime,
    leave_out_deactivated: bool = False,
) -> list[AppUser]:
    """Register several unsaved users at once, all or none, as of their `registered_at` or `now`.

    Ids that are registered already are left alone and not in the answer; an id that is given twice
    counts as it was given first. Raises as `admission.admit`; `QuotaExceeded` counts the new ones.
    """
    wanted = {user.user_id: user for user in reversed(users)}
    users = [user for user in users if user is wanted[user.user_id]]
    for user in users:
        user.environment, user.registered_at = environment, user.registered_at or now
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
        now=now,
    )
    created = [user for user in users if user.user_id in admitted.new]
    for user in created:
        user.pk, user._state.adding = admitted.new[user.user_id], False
    return created


@transaction.atomic
def register_by_staff(
    *, environment: Environment, user_id: str, name: str, by: Actor, now: datetime
) -> Registration:
    """A test user made by hand in the console: one line in the audit trail, as for all that staff
    do. Raises as `register` does, and `AlreadyRegistered`.
    """
    users = [AppUser(user_id=user_id, name=name)]
    created = register_new(environment=environment, users=users, now=now)
    if not created:
        raise AlreadyRegistered
    audit.record(
        AuditType.USER_REGISTERED,
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        after={"name": name},
    )
    return Registration(created[0], tokens.issue(created[0], now=now), created=True)


@transaction.atomic
def issue_to_staff(
    *, environment: Environment, user_id: str, lifetime: timedelta, by: Actor, now: datetime
) -> Registration:
    """A token with which staff try out what a user's client can do; an unknown id is registered.
    Not longer-lived than the environment's. Raises as `register` does, and `NotInProduction`.
    """
    if not environment.is_development:
        raise NotInProduction
    longest = environment.token_lifetime
    registration = register(
        environment=environment,
        user_id=user_id,
        now=now,
        token_lifetime=min(lifetime, longest) if longest is not None else lifetime,
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
    """Register those of `count` sample users that are missing, as many as there are places; how
    many were new.
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
    created = register_new(environment=environment, users=samples, now=now)
    if created:
        audit.record(
            AuditType.USERS_SAMPLED,
            environment=environment,
            by=by,
            now=now,
            after={"count": len(created)},
        )
    return len(created)
