"""Pages of users with their latest bans, as plain rows: for an API that lists users.

One prepared statement. Composing the SQL and a model for each row takes several times as long as
the database needs; `tests/moderation/test_listed_users.py` compares with the models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from applications.models import Environment
from applications.statements import Statement
from moderation.models import BanTimes

_BEFORE_ALL = (datetime(1, 1, 1, tzinfo=UTC), 0)
_BAN = ["imposed_at", "expires_at", "closed_at", "outcome"]
_PAGE = Statement(
    f"""
    SELECT held.*, {", ".join(f"ban.{name}" for name in _BAN)}
      FROM (
        SELECT id, user_id, uuid, name, nullif(push_settings, '{{}}') AS push_settings,
               registered_at, changed_at
          FROM users_appuser
         WHERE environment_id = %s AND (registered_at, id) > (%s, %s)
         ORDER BY registered_at, id LIMIT %s
      ) AS held
      LEFT JOIN LATERAL (
        SELECT {", ".join(_BAN)} FROM moderation_ban
         WHERE environment_id = %s AND user_id = held.user_id ORDER BY id DESC LIMIT 1
      ) AS ban ON true
     ORDER BY held.registered_at, held.id
    """  # noqa: S608 - no input
)


@dataclass(slots=True)
class ListedUser:
    """The columns of a user that lists show, and their last ban, in force or over."""

    id: int
    user_id: str
    uuid: UUID
    name: str
    push_settings: dict[str, Any]
    registered_at: datetime
    changed_at: datetime | None
    ban: BanTimes | None


@dataclass(slots=True)
class _Ban(BanTimes):
    imposed_at: datetime
    expires_at: datetime | None
    closed_at: datetime | None
    outcome: str


def oldest_first(
    *, environment: Environment, after: Sequence[Any] | None = None, limit: int
) -> list[ListedUser]:
    """Up to `limit` users, the first registered first: from the first, or after this
    `registered_at` and id.
    """
    return [
        _listed(row)
        for row in _PAGE.rows(environment.pk, *(after or _BEFORE_ALL), limit, environment.pk)
    ]


def _listed(row: Sequence[Any]) -> ListedUser:
    life, user_id, uuid, name, push_settings, registered_at, changed_at, *ban = row
    return ListedUser(
        life,
        user_id,
        uuid,
        name,
        push_settings or {},
        registered_at,
        changed_at,
        _Ban(*ban) if ban[0] is not None else None,
    )
