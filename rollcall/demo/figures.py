"""The last day of production by the hour, before the demo's own clients add to it."""

from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

import redis

from applications import hourly
from applications.hourly import Figure
from applications.models import Environment


def fill(production: Environment, *, now: datetime, random: Random) -> None:
    """Few were online at night, and more in the evening. Nothing rests on it, so Redis may be
    away.
    """
    with suppress(redis.RedisError):
        for ago in range(1, hourly.HOURS):
            then = now - timedelta(hours=ago)
            from_evening = abs((then.hour - 20 + 12) % 24 - 12)  # hours, at most 12
            online = 9 - from_evening // 2 + random.randint(0, 2)
            hourly.raise_to(Figure.ONLINE, {production.pk: online}, now=then)
            for figure, most in (
                (Figure.CONNECTIONS_REFUSED, 9),
                (Figure.MESSAGES_REFUSED, 5),
                (Figure.CALLS_REFUSED, 3),
            ):
                hourly.note(
                    production.pk, figure, at=then.timestamp(), times=random.randint(0, most)
                )
        hourly.write()
