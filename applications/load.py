"""How busy the two stores are: sessions of the database, and the queue of tasks in Redis."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from applications import redis_client

QUEUE = "celery"  # Celery's default
SENT_AT = "rollcall_sent_at"  # a header of each task (`rollcall.traced_tasks`)

_SESSIONS = """
SELECT coalesce(state, 'other'), count(*), count(*) FILTER (WHERE wait_event_type = 'Lock'),
       current_setting('max_connections')::int
  FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1
"""


@dataclass(frozen=True)
class Sessions:
    """Sessions of the database server, by state ("active", "idle", …). `waiting`: how many of them
    wait for a lock; `limit`: how many there may be.
    """

    by_state: dict[str, int]
    waiting: int
    limit: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


def sessions() -> Sessions:
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS)
        rows = cursor.fetchall()
    return Sessions(
        {state: count for state, count, _, _ in rows},
        sum(waiting for _, _, waiting, _ in rows),
        rows[0][3],
    )


@dataclass(frozen=True)
class Queue:
    """Tasks that wait for a worker, and for how many seconds the oldest has waited."""

    tasks: int
    oldest: float


def queue(*, now: datetime) -> Queue:
    """Raises `redis.RedisError`."""
    redis: Any = redis_client.client()
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.llen(QUEUE)
        pipeline.lindex(QUEUE, -1)  # the next one that a worker takes
        tasks, first = pipeline.execute()
    oldest = 0.0
    # Another program may have written it.
    with suppress(ValueError, TypeError, LookupError):
        oldest = max(now.timestamp() - float(json.loads(first or b"")["headers"][SENT_AT]), 0.0)
    return Queue(tasks, oldest)
