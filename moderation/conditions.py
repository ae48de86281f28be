"""What is wrong with this machine and its stores, in sentences: for the probe, the page Health, the
log, and whoever must not go on. It is in the highest app of the domain because it reads from all.

Each function returns a sentence without a full stop, or None if all is well. It raises what the
store's client raises if the store does not answer, which is a fault of its own.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection
from django.utils.translation import gettext

from applications import redis_client, standby
from applications.load import QUEUE
from users import bus

# Two clocks. Processes whose clock is further from the database's than the second one do not work:
# they would end bans and leases too early, or take other processes for dead.
MOST_APART, TOO_FAR_APART = timedelta(seconds=2), timedelta(seconds=30)
LEAST_FREE = 64 * 1024**2  # bytes of the disk of DATA_DIR


def clock(now: datetime, *, most: timedelta | None = None) -> str | None:
    """This machine's clock against the database's. `now` is read just before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        apart = now - cursor.fetchone()[0]
    if abs(apart) <= (most or MOST_APART):
        return None
    if apart > timedelta(0):
        text = gettext(
            "The clock of this machine is %(seconds)s s ahead of the database's: "
            "bans, tokens and leases end at the wrong time"
        )
    else:
        text = gettext(
            "The clock of this machine is %(seconds)s s behind the database's: "
            "bans, tokens and leases end at the wrong time"
        )
    return text % {"seconds": f"{abs(apart).total_seconds():.0f}"}


def writes(now: datetime) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        if cursor.fetchone() == ("off",):
            return None
    return gettext("The database is read-only: nothing can be changed, and nobody can connect")


def disk(now: datetime) -> str | None:
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free >= LEAST_FREE:
        return None
    text = gettext("The disk of DATA_DIR is full: %(free)s MiB are free")
    return text % {"free": f"{free / 1024**2:.0f}"}


def shared_redis(now: datetime) -> str | None:
    """Whether Redis has the data of another application. Ours can neither be lost nor read by it,
    but it may take our tasks, and our worker its.
    """
    client: Any = redis_client.client()
    if client.type(QUEUE) not in (b"none", b"list"):
        text = gettext("Redis has the data of another application: its key %(key)s is no queue")
        return text % {"key": QUEUE}
    own = bus.channel()
    channels = client.pubsub_channels(f"rollcall:*:{own.rpartition(':')[2]}")
    if {name.decode() for name in channels} - {own}:
        return gettext(
            "Another Rollcall, with other ENCRYPTION_KEYS, uses the same database of Redis"
        )
    task = _next_task(client)
    if task is not None and task.split(".")[0] not in settings.INSTALLED_APPS:
        text = gettext(
            "Redis has the data of another application: its task %(task)s is in our queue"
        )
        return text % {"task": task[:80]}
    return None


def _next_task(client: Any) -> str | None:
    with suppress(ValueError, TypeError, LookupError):
        return str(json.loads(client.lindex(QUEUE, -1) or b"")["headers"]["task"])
    return None


CONDITIONS: dict[str, Callable[[datetime], str | None]] = {
    "clock": clock,
    "writes": writes,
    "disk": disk,
    "shared_redis": shared_redis,
}
if standby.is_set():
    CONDITIONS["standby"] = lambda now: standby.fault()


def wrong(now: datetime) -> list[str]:
    """All that is wrong. Stores that do not answer are left out."""
    found = []
    for look in CONDITIONS.values():
        with suppress(Error, redis.RedisError, OSError):
            if sentence := look(now):
                found.append(sentence)
    return found
