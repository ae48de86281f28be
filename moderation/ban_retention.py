"""Bans that are over go when their environment no longer keeps them.

Invariant: of a ban in force, its changes stay too, however old they are.
"""

from datetime import datetime

from django.db import connection, transaction

from applications import retention

_FORGET = """
WITH old AS (
    SELECT id, user_id FROM moderation_ban
     WHERE environment_id = %(environment)s AND outcome = %(outcome)s AND closed_at <= %(before)s
       AND outcome IN ('lifted', 'expired')
     ORDER BY closed_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM moderation_ban AS ban USING old
 WHERE ban.environment_id = %(environment)s AND ban.user_id = old.user_id AND ban.id <= old.id
   AND ban.closed_at <= %(before)s
"""


def forget_old(*, now: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` lifted and as many expired bans of each environment, with the changes
    that came before them; returns how many rows.
    """
    forgotten = 0
    for environment, kept in retention.environments_that_forget(retention.BANS):
        for outcome in ("lifted", "expired"):
            values = {
                "environment": environment.pk,
                "outcome": outcome,
                "before": now - kept,
                "limit": limit,
            }
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_FORGET, values)
                forgotten += cursor.rowcount
    return forgotten
