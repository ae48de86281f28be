"""A short cache of what identifies a caller: live secrets, their environment and application.

Every call of the Server API needs them. Without the cache, reading them takes a quarter of a call.

Invariants
----------
* Law 34: nothing is cached for longer than `MAX_AGE`. A revoked secret or a changed setting takes
  effect at once in the process that made the change, and within that time in all others.
* Unknown app keys are not cached: a new application works from its first call on, and made-up app
  keys use no memory.
* The clock ends a secret, not the cache: one that has ended is left out at once.
* All threads share the rows. Only `app_secrets.note_use` changes them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from applications.models import AppSecret

MAX_AGE = timedelta(seconds=1)
# A full cache is cleared, which costs each environment one query.
_MAX_ENTRIES = 10_000
_cache: dict[tuple[str, ...], tuple[datetime, Sequence[AppSecret]]] = {}


def secrets_of_key(app_key: str, *, now: datetime) -> Sequence[AppSecret]:
    """The live secrets of the environment with this app key, oldest first; empty if it is unknown.
    One query, or none.
    """
    return _cached((app_key,), now, lambda: AppSecret.objects.for_app_key(app_key))


def secrets_of_name(org_name: str, kind: str, *, now: datetime) -> Sequence[AppSecret]:
    """The same, by the org name of the application and the kind of the environment."""
    return _cached((org_name, kind), now, lambda: AppSecret.objects.for_name(org_name, kind))


def clear() -> None:
    """Empty the cache of this process."""
    _cache.clear()


def clear_on_commit() -> None:
    """Call it in the transaction of every change of an application, an environment or a secret."""
    clear()
    # Other threads may cache the old rows again before the commit.
    transaction.on_commit(clear)


def _cached(
    key: tuple[str, ...], now: datetime, read: Callable[[], Iterable[AppSecret]]
) -> Sequence[AppSecret]:
    read_at, secrets = _cache.get(key, (None, ()))
    # The lower bound: a clock that is set back must not extend the time.
    if read_at is None or not timedelta(0) <= now - read_at < MAX_AGE:
        secrets = tuple(read())
        if secrets:
            if len(_cache) >= _MAX_ENTRIES:
                clear()
            _cache[key] = now, secrets
        else:
            _cache.pop(key, None)
    if any(secret.ends_at is not None for secret in secrets):
        return tuple(secret for secret in secrets if secret.is_accepted(now))
    return secrets
