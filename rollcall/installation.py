"""`manage.py check --deploy` on the machine where it runs: stores, clocks, disk, keys and queue.

Unlike `rollcall.checks` these ask the stores. Each finding says what to do about it. `serve` runs
those of `STORES` before it starts anything; those of `QUEUE` need a worker that runs.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import redis
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import Error as DatabaseError
from django.db import connection

from applications import audit_seals, redis_client, rotation
from applications.models import AuditSeal
from rollcall import schema, unreachable
from rollcall.celery import app

STORES, QUEUE = "stores", "queue"  # tags
OLDEST_POSTGRESQL, OLDEST_REDIS = 14, 6
MOST_APART = 2.0  # seconds between two clocks
LEAST_FREE = 1024**3  # bytes of the disk of DATA_DIR
MOST_WAITING = 1_000  # messages in the queue: each task is sent once in a few seconds
WORKER_WITHIN = 2.0  # seconds for a worker to answer

OTHER_THREADS = 12 + 10  # of the worker; and connections for people and monitors


@register(STORES, deploy=True)
def stores_are_fit(**_: Any) -> list[CheckMessage]:
    if settings.EMBEDDED_STORES:  # `console.W003` and `W004` name them
        return []
    return [*_asked(_postgresql), *_asked(_redis), *_asked(_keys), *_files()]


@register(QUEUE, deploy=True)
def work_is_done(**_: Any) -> list[CheckMessage]:
    return [] if settings.EMBEDDED_STORES else list(_asked(_queue))


def _asked(look: Callable[[], Iterator[CheckMessage]]) -> Iterator[CheckMessage]:
    """What it finds; nothing more if a store does not answer, which is a finding of its own."""
    with suppress(DatabaseError, redis.RedisError):
        yield from look()


def _postgresql() -> Iterator[CheckMessage]:
    if error := unreachable.database_error():
        yield Error(
            f"PostgreSQL does not answer: {error}",
            hint="Look whether it runs, and whether DATABASE_URL names it.",
            id="stores.E001",
        )
        return
    version = connection.pg_version // 10_000  # type: ignore[attr-defined]
    if version < OLDEST_POSTGRESQL:
        yield Error(
            f"PostgreSQL {version} is too old.",
            hint=f"Upgrade it to {OLDEST_POSTGRESQL} or newer.",
            id="stores.E002",
        )
    shown = _shown("server_encoding", "fsync", "full_page_writes", "synchronous_commit")
    if shown.pop("server_encoding") != "UTF8":
        yield Error(
            "The database does not store UTF-8.",
            hint="Create it with: createdb --encoding UTF8 --template template0 NAME",
            id="stores.E003",
        )
    for name, value in shown.items():
        if value == "off":
            yield Warning(
                f"PostgreSQL has {name} off: a crash can lose what was confirmed to callers.",
                hint=f"Set {name} = on in postgresql.conf, and reload.",
                id="stores.W001",
            )
    yield from _connections()
    yield from _clock("PostgreSQL", _database_time, "stores.W003")
    if unknown := schema.ahead():
        yield Warning(
            schema.ahead_in_words(unknown),
            hint="During an upgrade this is as it should be. Otherwise install that version.",
            id="stores.W004",
        )


def _connections() -> Iterator[CheckMessage]:
    needed = (
        settings.WEB_WORKERS * settings.WEB_THREADS
        + settings.GATEWAY_PROCESSES * (settings.GATEWAY_THREADS + 1)
        + OTHER_THREADS
    )
    allowed = int(_shown("max_connections")["max_connections"])
    if needed > allowed:
        yield Warning(
            f"PostgreSQL allows {allowed} connections; this machine alone may need {needed}.",
            hint="Raise max_connections, or lower WEB_WORKERS, WEB_THREADS or GATEWAY_THREADS.",
            id="stores.W002",
        )


def _shown(*names: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(names)])
        return dict(cursor.fetchall())


def _database_time() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(cursor.fetchone()[0])


def _redis() -> Iterator[CheckMessage]:
    with redis_client.connect(settings.REDIS_URL, socket_connect_timeout=5) as client:
        try:
            facts = client.info()
        except (redis.RedisError, OSError) as error:
            yield Error(
                f"Redis does not answer: {error}",
                hint="Look whether it runs, and whether REDIS_URL names it.",
                id="stores.E004",
            )
            return
        if int(str(facts["redis_version"]).partition(".")[0]) < OLDEST_REDIS:
            yield Error(
                f"Redis {facts['redis_version']} is too old.",
                hint=f"Upgrade it to {OLDEST_REDIS} or newer, or use Valkey.",
                id="stores.E005",
            )
        if facts.get("maxmemory_policy", "noeviction") != "noeviction":
            yield Warning(
                f"Redis drops keys when its memory is full ({facts['maxmemory_policy']}): tasks "
                "and rate counters would vanish.",
                hint="Set maxmemory-policy noeviction; what is shared with a cache needs a Redis "
                "of its own.",
                id="stores.W005",
            )

        def moment() -> float:
            seconds, microseconds = client.time()
            return float(seconds) + float(microseconds) / 1e6

        yield from _clock("Redis", moment, "stores.W006")


def _clock(name: str, moment: Callable[[], float], id: str) -> Iterator[CheckMessage]:
    """Bans, tokens and leases end by this machine's clock, sweeps and rates by those of stores."""
    before = time.time()
    apart = moment() - (before + time.time()) / 2
    if abs(apart) > MOST_APART:
        yield Warning(
            f"The clock of {name} is {abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} "
            f"this machine's ({datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC).",
            hint="Synchronise both, for example with chrony or systemd-timesyncd.",
            id=id,
        )


def _keys() -> Iterator[CheckMessage]:
    if schema.behind():
        return  # there may be no tables yet
    for column in rotation.columns():
        if not rotation.is_readable(column):
            yield Error(
                f"ENCRYPTION_KEYS has no key that decrypts what is stored ({column}).",
                hint="Add the key that was set when it was stored, at the end of the list. "
                "With a restored backup belongs the key of that time.",
                id="stores.E006",
            )
    known = [key.hint for key in audit_seals.seal_keys()]
    if AuditSeal.objects.exclude(key_hint__in=known).exists():
        yield Warning(
            "Some seals of the audit trail were made with a key that is not in ENCRYPTION_KEYS.",
            hint="Add that key at the end of the list: without it they cannot be verified.",
            id="stores.W007",
        )


def _files() -> Iterator[CheckMessage]:
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < LEAST_FREE:
        yield Warning(
            f"The disk of DATA_DIR ({settings.DATA_DIR}) has {free / 1024**2:,.0f} MiB free.",
            hint="Make room, or set DATA_DIR to a folder on another disk.",
            id="stores.W008",
        )
    if not settings.AUDIT_SEALS_FILE.parent.is_dir():
        yield Error(
            f"The folder of AUDIT_SEALS_FILE ({settings.AUDIT_SEALS_FILE}) does not exist.",
            hint="Create it for the user that the worker runs as.",
            id="stores.E007",
        )


def _queue() -> Iterator[CheckMessage]:
    if unreachable.redis_error():
        return  # `stores.E004` says so
    if not app.control.ping(timeout=WORKER_WITHIN):
        yield Warning(
            "No worker answers: bans are not closed, nothing is erased, no webhook is sent.",
            hint="Start `manage.py serve`, or look in its log why the worker does not stay up.",
            id="queue.W001",
        )
    with redis_client.connect(settings.REDIS_URL, socket_connect_timeout=5) as client:
        waiting = int(client.llen(app.conf.task_default_queue))
    if waiting > MOST_WAITING:
        yield Warning(
            f"{waiting:,} tasks wait in the queue.",
            hint="Look in the log what the worker does. Tasks repeat: the queue may be emptied "
            "with: .venv/bin/celery -A rollcall purge",
            id="queue.W002",
        )
