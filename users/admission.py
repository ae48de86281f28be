"""Admission of users: the only code that inserts rows of `AppUser`.

Invariants
----------
* The rules are in one place, the SQL function `users_admit` (migration 0002_admission, which
  documents them): quota, deactivated ids, one life of an id at a time, the tally of each day. Every
  registration, of one id or of thousands, calls `admit`.
* Without a limit, admission is one round trip and its own transaction, which users who register at
  the same moment share (`admit_one`). With a limit, the audit lines about a filling quota are
  written in the same transaction.
* `tests/users/plain_admission.py` implements the same rules slowly, row by row.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext

from applications import metrics
from applications.audit import Actor
from applications.batching import Batcher
from applications.counting import count
from applications.models import USER_LIMITS, Environment
from applications.statements import Statement
from users import identity, leases, places, quota, spelling
from users.fields import time_ordered_uuid
from users.models import AppUser

# Each id is locked until the transaction ends, and PostgreSQL has about 6,400 locks in all.
MOST_AT_ONCE = 2_000

_LIMITS = json.dumps(USER_LIMITS)
_SELECT = (
    "SELECT admitted, new_ids, new_lives, known_ids, known_lives, deactivated, seats, used "
    "FROM users_admit(%s, %s::jsonb, %s, %s, %s, "
)
# Binary (%b), because psycopg writes arrays as text three times as slowly.
_ADMIT = Statement(
    _SELECT + "%b::text[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::timestamptz[], "
    "%b::timestamptz[])"
)
# For one id, without array parameters: psycopg needs more time for them than for everything else.
_ADMIT_ONE = Statement(
    _SELECT + "ARRAY[%s]::text[], ARRAY[%s]::uuid[], ARRAY[%s]::text[], ARRAY[%s]::text[], "
    "ARRAY[%s]::text[], ARRAY[%s]::timestamptz[], ARRAY[%s]::timestamptz[])"
)


class UserDeactivated(Exception):
    """These ids are deactivated: they must be reactivated before they can register."""

    def __init__(self, user_ids: Sequence[str]):
        self.user_ids = sorted(user_ids)
        super().__init__(gettext("Deactivated: {names}").format(names=", ".join(self.user_ids)))


class Newcomer(NamedTuple):
    """An id to register, with its data. A name or avatar of None is not given."""

    user_id: str
    registered_at: datetime
    name: str | None = None
    avatar_url: str | None = None
    password: str = ""
    last_seen_at: datetime | None = None
    uuid: UUID | None = None


class Admitted(NamedTuple):
    """user_id → life (primary key) of the ids that are now registered: `new` if they were not
    registered before, otherwise `known`.
    """

    new: dict[str, int]
    known: dict[str, int]


def admit(
    *,
    environment: Environment,
    newcomers: Sequence[Newcomer],
    now: datetime,
    renew: bool = False,
    leave_out_deactivated: bool = False,
    by: Actor | None = None,
    lease: timedelta | None = None,
) -> Admitted:
    """Register the ids that are not registered, all or none. `newcomers` contains each id once, and
    at most `MOST_AT_ONCE` ids.

    `renew` updates the name and avatar of known users where they are given; without it, known users
    do not change. `leave_out_deactivated` skips deactivated ids instead of raising
    `UserDeactivated`. `by` is remembered with the places that are taken. `lease` is the lease of
    the new users, and with `renew` of the known ones; without it, the rules of the environment
    apply to the new ones.
    Raises `UserDeactivated`, `quota.QuotaExceeded`, `spelling.TakenInAnotherCase`,
    `leases.LeasesInProduction`, `leases.InvalidLease`, `identity.InvalidUserId` and
    `identity.InvalidProfile`.
    """
    if len(newcomers) > MOST_AT_ONCE:
        raise ValueError(f"more than {MOST_AT_ONCE} users at once")
    for each in newcomers:
        _check(each)
    if not newcomers:
        return Admitted({}, {})
    if lease is not None:
        leases.check(environment, lease)
    return _admit(
        environment=environment,
        newcomers=newcomers,
        now=now,
        options=_Options(connection.in_atomic_block, renew, leave_out_deactivated),
        by=by,
        lease=lease,
    )


class _Options(NamedTuple):
    in_transaction: bool
    renew: bool
    leave_out_deactivated: bool


@spelling.raises_taken_in_another_case
def _admit(
    *,
    environment: Environment,
    newcomers: Sequence[Newcomer],
    now: datetime,
    options: _Options,
    by: Actor | None = None,
    lease: timedelta | None = None,
) -> Admitted:
    """`admit` with data that was checked."""
    result = None
    if environment.user_limit is None:
        result = _execute(environment, newcomers, options)
    if result is None or result.needs_transaction:
        with transaction.atomic(savepoint=False):
            result = _execute(environment, newcomers, options._replace(in_transaction=True))
            if result.admitted and result.seats is not None:
                quota.note_thresholds(
                    environment,
                    limit=result.seats,
                    used=result.used,
                    added=len(result.new),
                    now=now,
                )
                places.take(environment, result.new, by=by, lease=lease, now=now)
            if result.admitted and lease is not None and options.renew:
                leases.renew(result.known, until=now + lease)
    if result.admitted:
        return Admitted(result.new, result.known)
    if result.deactivated:
        raise UserDeactivated(result.deactivated)
    # The SQL function counts up to the limit only.
    used = count(AppUser.objects.filter(environment=environment))
    metrics.QUOTA_REFUSALS.labels(environment.kind).inc()
    raise quota.QuotaExceeded(
        limit=result.seats,
        used=used,
        is_development=environment.is_development,
        environment=environment,
    )


class _Asked(NamedTuple):
    environment: Environment
    newcomer: Newcomer
    renew: bool
    now: datetime


def admit_one(
    *,
    environment: Environment,
    newcomer: Newcomer,
    now: datetime,
    renew: bool = False,
    by: Actor | None = None,
    lease: timedelta | None = None,
) -> Admitted:
    """`admit` for one id. Where that is a transaction by itself, it is shared with the others who
    register one id at this moment, and who are in the result too.
    """
    shared = environment.user_limit is None and lease is None
    if not shared or connection.in_atomic_block:
        return admit(
            environment=environment,
            newcomers=[newcomer],
            renew=renew,
            by=by,
            lease=lease,
            now=now,
        )
    _check(newcomer)
    asked = _Asked(environment, newcomer, renew, now)
    admitted = _batcher.ask((environment.pk, renew), newcomer.user_id, asked)
    if newcomer.user_id not in admitted.new and newcomer.user_id not in admitted.known:
        raise UserDeactivated([newcomer.user_id])
    return admitted


def _admit_batch(asked: Mapping[str, _Asked]) -> Mapping[str, Admitted]:
    first = next(iter(asked.values()))
    admitted = _admit(
        environment=first.environment,
        newcomers=[each.newcomer for each in asked.values()],
        now=first.now,
        options=_Options(False, first.renew, True),
    )
    return dict.fromkeys(asked, admitted)


_batcher: Batcher[_Asked, Admitted] = Batcher(_admit_batch, most=100)


def _check(newcomer: Newcomer) -> None:
    identity.check_user_id(newcomer.user_id)
    identity.check_profile(name=newcomer.name, avatar_url=newcomer.avatar_url)


class _Result:
    """A row of `users_admit`."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.admitted, new_ids, new_lives, known_ids, known_lives, gone, seats, used = row
        self.new: dict[str, int] = dict(zip(new_ids or (), new_lives or (), strict=True))
        self.known: dict[str, int] = dict(zip(known_ids or (), known_lives or (), strict=True))
        self.deactivated: list[str] = gone or []
        self.seats: Any = seats
        self.used: Any = used

    @property
    def needs_transaction(self) -> bool:
        """The environment has a limit, which was set after the caller read the environment."""
        return not self.admitted and not self.deactivated and self.used is None


def _execute(environment: Environment, newcomers: Sequence[Newcomer], options: _Options) -> _Result:
    columns = [
        (
            each.user_id,
            each.uuid or time_ordered_uuid(each.registered_at),
            each.name,
            each.avatar_url,
            each.password,
            each.registered_at,
            each.last_seen_at,
        )
        for each in newcomers
    ]
    statement = _ADMIT_ONE if len(columns) == 1 else _ADMIT
    values = (
        columns[0] if len(columns) == 1 else [list(each) for each in zip(*columns, strict=True)]
    )
    row = statement.row(environment.pk, _LIMITS, *options, *values)
    assert row is not None  # noqa: S101
    return _Result(row)
