"""Register very many users, as fast as the database takes them in.

Invariants
----------
* The law is that of `users.registration`: quota, one life of an id at a time, deactivated ids stay
  out, each registration in its day's tally.
* A chunk is one transaction: all of its new ids, or none.
"""

from collections import Counter
from collections.abc import Sequence

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from applications.models import Environment
from users import identity, quota, spelling
from users.models import AppUser, DeactivatedUser

# Each id is locked until its chunk is in, and PostgreSQL has room for some 6,400 locks in all.
CHUNK = 2_000
_COLUMNS = {
    field.column: field.attname
    for field in AppUser._meta.concrete_fields
    if field.column and not field.primary_key
}


@spelling.told
@transaction.atomic
def register_chunk(*, environment: Environment, users: Sequence[AppUser]) -> int:
    """Register those of up to `CHUNK` unsaved users, each with `registered_at`, whose id is
    neither registered nor deactivated; how many. Their primary keys are not read back.

    Raises `QuotaExceeded`, `spelling.TakenInAnotherCase`, and of `identity` `InvalidUserId` and
    `InvalidProfile`.
    """
    if len(users) > CHUNK:
        raise ValueError(f"more than {CHUNK} users in a chunk")
    for user in users:
        identity.check_user_id(user.user_id)
        identity.check_profile(name=user.name, avatar_url=user.avatar_url)
    limit = quota.lock(environment)
    wanted = {user.user_id: user for user in users}
    identity.lock(environment, wanted)
    for model in (AppUser, DeactivatedUser):
        held = model._default_manager.filter(environment=environment, user_id__in=wanted)
        for user_id in held.values_list("user_id", flat=True):
            del wanted[user_id]
    fresh = list(wanted.values())
    last = max((user.registered_at for user in fresh), default=None)
    if last is not None:
        quota.require_places(environment, limit, len(fresh), now=last)
    for user in fresh:
        user.environment = environment
    _insert(fresh)
    for day, count in Counter(user.registered_at.date() for user in fresh).items():
        quota.tally(environment, day=day, count=count)
    return len(fresh)


def _insert(users: list[AppUser]) -> None:
    # COPY, for a million INSERTed rows would take several times as long.
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {AppUser._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN") as copy,
    ):
        for user in users:
            values = [getattr(user, name) for name in _COLUMNS.values()]
            copy.write_row([Jsonb(each) if isinstance(each, dict) else each for each in values])
