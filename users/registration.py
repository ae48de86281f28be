"""Register app users, within the quota.

Invariants
----------
* An environment with a limit never holds more registered users than that, under any concurrency
  and by every path: whoever inserts a user holds the environment's row.
* Only environments that have a limit pay for that lock.
* A known id takes no new place: registering it again gives a further token and, where a name or
  avatar is passed, updates them.
* A refused registration changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from applications import audit
from applications.audit import Actor
from applications.compiled import Compiled
from applications.models import Environment
from users import identity, quota, spelling, tokens
from users.fields import in_any_case
from users.models import AppUser, DeactivatedUser

SAMPLE_PREFIX = "sample-"

# What a new user has; all else begins as NULL.
_FIELDS = [
    field for field in AppUser._meta.concrete_fields if not field.primary_key and not field.null
]
# What `_create_or_update` does where there is no limit, for PostgreSQL: one message, which is one
# transaction by itself, in place of six that wait for an answer each. Two statements, because one
# sees only what was committed before it began: what the lock has waited for is for the second.
_CREATE_UNLESS_HELD = f"""
    SELECT pg_advisory_xact_lock(%s);
    WITH fresh AS (
        INSERT INTO {AppUser._meta.db_table} ({", ".join(str(each.column) for each in _FIELDS)})
        SELECT {", ".join(["%s"] * len(_FIELDS))}
        WHERE NOT EXISTS (
            SELECT FROM {DeactivatedUser._meta.db_table}
            WHERE environment_id = %s AND user_id = %s
        )
        ON CONFLICT (environment_id, user_id) DO NOTHING
        RETURNING id
    ), tallied AS (
        {quota.ADD_TO_TALLY.format(rows="SELECT %s, %s, %s, %s FROM fresh")}
    )
    SELECT id FROM fresh
"""  # noqa: S608 - made of names of ours


class UserDeactivated(Exception):
    """The id is deactivated: it must be reactivated before it can register."""

    def __init__(self, user_ids: Iterable[str]):
        self.user_ids = sorted(user_ids)
        super().__init__(f"Deactivated: {', '.join(self.user_ids)}")


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


@spelling.told
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
    Raises `UserDeactivated`, `quota.QuotaExceeded`, `spelling.TakenInAnotherCase`, and of
    `identity` `InvalidUserId` and `InvalidProfile`.
    """
    identity.check_user_id(user_id)
    identity.check_profile(name=name, avatar_url=avatar_url)
    given = {
        field: value
        for field, value in (("name", name), ("avatar_url", avatar_url))
        if value is not None
    }
    user, created = _known(environment, user_id), False
    if user is None and environment.user_limit is None:
        user = _create_unless_held(environment, user_id, given, now)
        created = user is not None
    if user is None or any(getattr(user, field) != value for field, value in given.items()):
        user, created = _create_or_update(environment, user_id, given, now)
    user.environment = environment
    return Registration(user, tokens.issue(user, now=now, lifetime=token_lifetime), created)


@transaction.atomic
def _create_or_update(
    environment: Environment, user_id: str, given: dict[str, str], now: datetime
) -> tuple[AppUser, bool]:
    # The quota's lock comes before the id's, here and everywhere: two orders would deadlock.
    limit = quota.lock(environment)
    identity.lock(environment, [user_id])
    user = _known(environment, user_id)
    if user is not None:
        for field, value in given.items():
            setattr(user, field, value)
        user.save(update_fields=list(given))
        return user, False
    _refuse_deactivated(environment, [user_id])
    quota.require_places(environment, limit, 1, now=now)
    user = AppUser.objects.create(
        environment=environment, user_id=user_id, registered_at=now, **given
    )
    quota.tally(environment, day=now.date(), count=1)
    return user, True


_of_id = Compiled(
    lambda environment_id, user_id: AppUser.objects.filter(
        environment_id=environment_id, user_id=user_id
    ),
    *(-1, "user id"),
)


def _known(environment: Environment, user_id: str) -> AppUser | None:
    return next(iter(_of_id(environment.pk, user_id)), None)


def _create_unless_held(
    environment: Environment, user_id: str, given: dict[str, str], now: datetime
) -> AppUser | None:
    """The user, who is registered from now on; None, and nothing has changed, where the id is
    registered already or deactivated.
    """
    user = AppUser(environment=environment, user_id=user_id, registered_at=now, **given)
    store = connections[DEFAULT_DB_ALIAS]  # asked for once: each look through the proxy costs
    values = [field.get_db_prep_save(getattr(user, field.attname), store) for field in _FIELDS]
    tallied = quota.tally_row(environment, day=now.date(), count=1)
    with store.cursor() as cursor:
        cursor.execute(
            _CREATE_UNLESS_HELD,
            [
                identity.lock_key(environment.pk, user_id),
                *(*values, environment.pk, user_id),
                *tallied,
            ],
        )
        cursor.nextset()
        row = cursor.fetchone()
    if row is None:
        return None
    [user.pk], user._state.adding = row, False
    return user


@spelling.told
@transaction.atomic
def register_new(
    *, environment: Environment, users: Sequence[AppUser], now: datetime
) -> list[AppUser]:
    """Register several unsaved users at once, all or none, by three statements.

    Ids that are registered already are left alone and not in the answer.
    Raises as `register` does; `QuotaExceeded` counts the new ones only.
    """
    for user in users:
        identity.check_user_id(user.user_id)
        identity.check_profile(name=user.name, avatar_url=user.avatar_url)
    limit = quota.lock(environment)
    wanted = {user.user_id: user for user in reversed(users)}
    identity.lock(environment, wanted)
    taken = set(
        AppUser.objects.filter(environment=environment, user_id__in=wanted).values_list(
            "user_id", flat=True
        )
    )
    fresh = [user for user in users if user is wanted[user.user_id] and user.user_id not in taken]
    _refuse_deactivated(environment, [user.user_id for user in fresh])
    quota.require_places(environment, limit, len(fresh), now=now)
    for user in fresh:
        user.environment, user.registered_at = environment, user.registered_at or now
    created = AppUser.objects.bulk_create(fresh, batch_size=1000)
    quota.tally(environment, day=now.date(), count=len(created))
    return created


@transaction.atomic
def register_by_staff(
    *, environment: Environment, user_id: str, name: str, by: Actor, now: datetime
) -> Registration:
    """A test user made by hand in the console: one line in the audit trail, as for all that staff
    do. Raises as `register` does, and `AlreadyRegistered`.
    """
    quota.lock(environment)
    identity.lock(environment, [identity.check_user_id(user_id)])
    if AppUser.objects.filter(environment=environment, user_id=user_id).exists():
        raise AlreadyRegistered
    registration = register(environment=environment, user_id=user_id, name=name, now=now)
    audit.record(
        "user.registered",
        environment=environment,
        subject=user_id,
        by=by,
        now=now,
        after={"name": name},
    )
    return registration


@transaction.atomic
def issue_to_staff(
    *, environment: Environment, user_id: str, lifetime: timedelta, by: Actor, now: datetime
) -> Registration:
    """A token with which staff try out what a user's client can do; an unknown id is registered.
    Not longer-lived than the environment's. Raises as `register` does, and `NotInProduction`.
    """
    if not environment.is_development:
        raise NotInProduction
    quota.lock(environment)
    identity.lock(environment, [identity.check_user_id(user_id)])
    longest = environment.token_lifetime
    registration = register(
        environment=environment,
        user_id=user_id,
        now=now,
        token_lifetime=min(lifetime, longest) if longest is not None else lifetime,
    )
    audit.record(
        "user.registered" if registration.created else "user.token_issued",
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
            "users.sampled", environment=environment, by=by, now=now, after={"count": len(created)}
        )
    return len(created)


def _refuse_deactivated(environment: Environment, user_ids: list[str]) -> None:
    deactivated = DeactivatedUser.objects.filter(environment=environment, user_id__in=user_ids)
    if found := list(deactivated.values_list("user_id", flat=True)):
        raise UserDeactivated(found)
