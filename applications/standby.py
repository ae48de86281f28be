"""Reading from a standby, where `READ_DATABASE_URL` names one.

Invariants
----------
* Only what may be some seconds old is read there: exports, and the page of the audit trail. No rule
  is: whoever decides about an admission, a quota or a ban does not call `read`. Nor are lists on
  which staff act, because whoever has just banned somebody must see it.
* A standby that is more than `MOST_BEHIND` behind, or does not answer, is not read: the primary is.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.utils.translation import gettext

T = TypeVar("T")
log = logging.getLogger(__name__)

ALIAS = "standby"
MOST_BEHIND = timedelta(seconds=10)
LOOK_EVERY = timedelta(seconds=5)

_looked_at: datetime | None = None
_fault: str | None = None


class Router:
    """Without it, Django would write a row to the server from which it was read."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


def is_set() -> bool:
    """Whether there is a standby to read from."""
    return ALIAS in connections


def read(query: Callable[[str], T], *, now: datetime) -> T:
    """What `query` returns; it gets the alias of the database for `QuerySet.using`. It is called
    again for the primary if the standby fails meanwhile, as when it cancels a long query.
    """
    global _looked_at, _fault
    if is_set():
        if _looked_at is None or abs(now - _looked_at) >= LOOK_EVERY:
            _looked_at, _fault = now, fault()
        if _fault is None:
            try:
                return query(ALIAS)
            except Error as error:
                log.warning("The standby failed, the primary is read instead: %s", error)
    return query(DEFAULT_DB_ALIAS)


def fault() -> str | None:
    """Why the standby is not read, in words; None if it is fit.

    Both times are of the primary's clock: now, and the last commit that the standby has replayed.
    A standby that has replayed everything is not behind, however long ago that commit was.
    """
    try:
        [written, moment] = _row(
            DEFAULT_DB_ALIAS, "SELECT pg_current_wal_lsn()::text, clock_timestamp()"
        )
        [follows, has_all, replayed] = _row(
            ALIAS,
            "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= %s::pg_lsn,"
            " pg_last_xact_replay_timestamp()",
            written,
        )
    except Error:
        return gettext("The standby does not answer; the primary is read instead")
    if not follows:
        return gettext(
            "READ_DATABASE_URL names a server that is no standby; the primary is read instead"
        )
    if has_all or (replayed is not None and moment - replayed <= MOST_BEHIND):
        return None
    if replayed is None:
        return gettext("The standby has replayed nothing yet; the primary is read instead")
    text = gettext("The standby is %(seconds)s s behind; the primary is read instead")
    return text % {"seconds": f"{(moment - replayed).total_seconds():.0f}"}


def _row(alias: str, sql: str, *values: Any) -> tuple[Any, ...]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
