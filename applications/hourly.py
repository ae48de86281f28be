"""Figures of an environment by the hour, of the last day: for the charts of its first page.

Invariants
----------
* Each hour of an environment is one small hash in Redis, which Redis forgets after a day. Nothing
  rests on it; while Redis is down, figures are not shown.
* `note` counts in this process, without a round trip. Whoever has a loop calls `write`: the thread
  of the request log, and the gateway. What could not be written waits for the next `write`.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import redis

from applications import redis_client

HOURS = 24
_HOUR = 3_600  # seconds
_KEPT = timedelta(hours=HOURS + 1)


class Figure(StrEnum):
    """What is counted. `ONLINE` is the most users at once, the others are sums."""

    ONLINE = "online"
    CONNECTIONS_REFUSED = "connections_refused"
    MESSAGES_REFUSED = "messages_refused"
    CALLS_REFUSED = "calls_refused"


REFUSED = (Figure.CONNECTIONS_REFUSED, Figure.MESSAGES_REFUSED, Figure.CALLS_REFUSED)

# (key of the hour, figure) → how many, not yet written.
_noted: Counter[tuple[str, Figure]] = Counter()
_noting = threading.Lock()


def note(environment_id: int, figure: Figure, *, at: float, times: int = 1) -> None:
    """Count something that happened at this Unix time, in seconds."""
    with _noting:
        _noted[_key(environment_id, int(at) // _HOUR), figure] += times


def write() -> None:
    """Write what was counted, in one round trip. Raises `redis.RedisError`."""
    with _noting:
        noted = dict(_noted)
        _noted.clear()
    if not noted:
        return
    try:
        with redis_client.client().pipeline() as pipeline:  # all of it or nothing
            for (key, figure), times in noted.items():
                pipeline.hincrby(key, figure, times)
                pipeline.expire(key, _KEPT)
            pipeline.execute()
    except redis.RedisError:
        with _noting:
            _noted.update(noted)
        raise


def raise_to(figure: Figure, levels: Mapping[int, int], *, now: datetime) -> None:
    """Keep the highest level of this hour. `levels`: key of an environment → level. Two writers at
    once may keep the lower of their two. Raises `redis.RedisError`.
    """
    hour = int(now.timestamp()) // _HOUR
    keys = [_key(environment_id, hour) for environment_id in levels]
    with redis_client.client().pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hget(key, figure)
        kept = pipeline.execute()
        for key, level, highest in zip(keys, levels.values(), kept, strict=True):
            if level > int(highest or 0):
                pipeline.hset(key, figure, level)
                pipeline.expire(key, _KEPT)
        pipeline.execute()


def lately(environment_id: int, *, now: datetime) -> list[tuple[datetime, dict[str, int]]]:
    """(beginning, figures) of the last `HOURS` hours, oldest first, this hour last. One round trip.
    None are known while Redis is down: the list is then empty.
    """
    last = int(now.timestamp()) // _HOUR
    hours = range(last - HOURS + 1, last + 1)
    try:
        with redis_client.client().pipeline(transaction=False) as pipeline:
            for hour in hours:
                pipeline.hgetall(_key(environment_id, hour))
            found = pipeline.execute()
    except redis.RedisError:
        return []
    return [
        (
            datetime.fromtimestamp(hour * _HOUR, UTC),
            {name.decode(): int(number) for name, number in figures.items()},
        )
        for hour, figures in zip(hours, found, strict=True)
    ]


def _key(environment_id: int, hour: int) -> str:
    return f"rollcall:hour:{environment_id}:{hour}"
