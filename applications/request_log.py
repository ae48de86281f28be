"""The calls that app servers made lately: for the page Requests, never for law.

Invariants
----------
* A call appends to a buffer of this process, which costs it no query and no round trip. A thread
  writes what has gathered to Redis, twice a second.
* What is kept is bounded: of each environment the newest `ENTRIES` writes with up to `CALLS_KEPT`
  calls each, for as long as the environment keeps them. In busy moments refused calls come first,
  and successful ones are left out; how many is counted.
* Only calls that name a known environment are kept, so made-up app keys use no memory.
* Bodies, headers and query strings are never kept: they hold names, messages and tokens.
* Redis may be down: calls are then not kept, and nothing else happens.
"""

import json
import logging
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import redis

from applications import hourly, redis_client, retention
from applications.hourly import Figure
from applications.models import Environment

ENTRIES = 500
CALLS_KEPT = 20
WRITE_EVERY = 0.5  # seconds
# While nothing can be written, the newest calls wait.
_WAITING = 10_000
LONGEST_PATH = 200

log = logging.getLogger(__name__)


class LoggedCall(NamedTuple):
    """A call. `code`: the vendor's own code of a refusal. `secret_hint`: the last characters of the
    app secret that signed it, "" if none did.
    """

    at: float  # Unix time, seconds
    vendor: str
    name: str
    method: str
    path: str
    status: int
    code: str
    milliseconds: float
    request_id: str
    secret_hint: str
    address: str

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def is_refused(self) -> bool:
        return self.status >= 400


class Answered(NamedTuple):
    """A call as its door hands it over. `body` is that of a refusal, of which only the member
    `code_member` is read.
    """

    environment_id: int
    call: LoggedCall
    body: bytes = b""
    code_member: str = ""
    # For how long the environment keeps it.
    kept: timedelta = timedelta(days=1)


_buffer: "deque[Answered]" = deque(maxlen=_WAITING)
_writing = threading.Lock()
_writer: threading.Thread | None = None


def note(answered: Answered) -> None:
    """Keep a call. Returns at once."""
    _buffer.append(answered)
    # A fork has no threads of its parent's.
    if _writer is None or not _writer.is_alive():
        _start()


def _start() -> None:
    global _writer
    with _writing:
        if _writer is None or not _writer.is_alive():
            _writer = threading.Thread(target=_write_forever, name="request-log", daemon=True)
            _writer.start()


def _write_forever() -> None:
    pause = threading.Event()
    while True:
        pause.wait(WRITE_EVERY)
        try:
            write()
            hourly.write()
        except redis.RedisError as error:
            log.warning("calls of the last moments are not in the request log: %s", error)
        except Exception:
            log.exception("calls of the last moments are not in the request log")


def write() -> None:
    """Write what has gathered, in one round trip. Raises `redis.RedisError`."""
    by_environment: dict[int, list[Answered]] = {}
    for _ in range(len(_buffer)):
        answered = _buffer.popleft()
        by_environment.setdefault(answered.environment_id, []).append(answered)
    if not by_environment:
        return
    with redis_client.client().pipeline(transaction=False) as pipeline:
        for environment_id, found in by_environment.items():
            name = _stream(environment_id)
            for each in found:
                if each.call.is_refused:
                    hourly.note(environment_id, Figure.CALLS_REFUSED, at=each.call.at)
            # The refused first, then the newest.
            found.sort(key=lambda each: (each.call.is_refused, each.call.at), reverse=True)
            entry = {
                "calls": json.dumps([_row(each) for each in found[:CALLS_KEPT]]),
                "left_out": max(0, len(found) - CALLS_KEPT),
            }
            pipeline.xadd(name, entry, maxlen=ENTRIES, approximate=True)  # type: ignore[arg-type]
            pipeline.expire(name, found[0].kept)
        pipeline.execute()


def _row(answered: Answered) -> list[Any]:
    call = answered.call
    if answered.code_member:
        with suppress(ValueError, AttributeError):
            code = json.loads(answered.body).get(answered.code_member, "")
            call = call._replace(code=str(code))
    return list(call)


def _stream(environment_id: int) -> str:
    return f"rollcall:requests:{environment_id}"


@dataclass(frozen=True)
class Lately:
    """The newest calls first. `left_out`: how many more there were since the oldest of them.
    `is_known` is False while Redis is down.
    """

    calls: list[LoggedCall]
    left_out: int = 0
    is_known: bool = True


def forget_old(*, now: datetime) -> None:
    """Forget the calls that their environments no longer keep. Raises `redis.RedisError`."""
    kept = Environment.objects.values_list("pk", retention.REQUESTS.setting)
    with redis_client.client().pipeline(transaction=False) as pipeline:
        for environment_id, length in kept:
            since = int(1000 * (now - length).timestamp())
            pipeline.xtrim(_stream(environment_id), minid=f"{since}-0", approximate=False)
        pipeline.execute()


def lately(environment: Environment) -> Lately:
    """All calls that are kept. One round trip."""
    try:
        entries: Any = redis_client.client().xrevrange(_stream(environment.pk))
    except redis.RedisError:
        return Lately([], is_known=False)
    calls = [
        LoggedCall(*row)
        for _, entry in entries
        for row in json.loads(entry[b"calls"])
        if len(row) == len(LoggedCall._fields)  # another version may have written it
    ]
    calls.sort(key=lambda call: call.at, reverse=True)
    return Lately(calls, left_out=sum(int(entry[b"left_out"]) for _, entry in entries))
