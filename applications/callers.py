"""What says who calls, remembered for a moment: live secrets, their environment and application.

Every call of the Server API asks for them. Read anew each time they would be a quarter of a call.

Invariants
----------
* Law 34: nothing is remembered for longer than `REMEMBERED_FOR`. A secret that is revoked, a
  setting that is changed, is so for every process after that time at the latest, and in the process
  that made the change at once.
* What is unknown is not remembered: a new application is known from its first call on, and callers
  who make up app keys fill no memory.
* The rows are shared by all threads. Nobody changes them but `app_secrets.note_use`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from applications.models import AppSecret

REMEMBERED_FOR = timedelta(seconds=1)
# Above so many applications everything is forgotten, which costs each of them one question.
_MOST = 10_000
_remembered: dict[tuple[str, ...], tuple[datetime, Sequence[AppSecret]]] = {}


def secrets_of_key(app_key: str, *, now: datetime) -> Sequence[AppSecret]:
    """The live secrets of the environment with this app key, oldest first; none where it is
    unknown. One query, or none.
    """
    return _recalled((app_key,), now, lambda: AppSecret.objects.for_app_key(app_key))


def secrets_of_name(org_name: str, kind: str, *, now: datetime) -> Sequence[AppSecret]:
    """The same of an environment by the name of its application and its kind."""
    return _recalled((org_name, kind), now, lambda: AppSecret.objects.for_name(org_name, kind))


def forget() -> None:
    """Read everything anew."""
    _remembered.clear()


def forget_changed() -> None:
    """Whoever changes an application, an environment or a secret calls it in the transaction."""
    forget()
    # Between now and the commit somebody may read again what is still so.
    transaction.on_commit(forget)


def _recalled(
    key: tuple[str, ...], now: datetime, read: Callable[[], Iterable[AppSecret]]
) -> Sequence[AppSecret]:
    read_at, secrets = _remembered.get(key, (None, ()))
    # A clock that was set back makes no memory longer.
    if read_at is None or not timedelta(0) <= now - read_at < REMEMBERED_FOR:
        secrets = tuple(read())
        if secrets:
            if len(_remembered) >= _MOST:
                forget()
            _remembered[key] = now, secrets
        else:
            _remembered.pop(key, None)
    return secrets
