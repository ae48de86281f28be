"""`python -m bench profile`: how the time of one call is spent, in one thread and without HTTP.

The kernel interrupts the process after a certain CPU time, and each interrupt counts for the
package whose Python code is running or has called into C. Environment variables: ONLY (part of the
call's name, by default "register"), CALLS, DATABASE_URL and REDIS_URL as for `bench api`.
"""

import io
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from types import FrameType

from django.conf import settings

from bench import calls
from bench.api import seeded
from bench.calls import HOST, Call
from bench.machine import database, machine

# CPU seconds between two interrupts; the kernel's clock is often less precise.
EVERY = 0.001
PARTS = {
    "psycopg": "psycopg: statements sent, rows read",
    "django/db": "Django's database layer: cursors, models",
    "django": "Django: request, response, signals",
    "ninja": "Ninja and Pydantic: routing, validation",
    "pydantic": "Ninja and Pydantic: routing, validation",
    "api": "Rollcall's door: routing, signature, log",
    "applications": "Rollcall's domain: statements, callers, batching",
    "users": "Rollcall's domain: registration, tokens",
    "moderation": "Rollcall's domain: bans",
    "": "other",
}


def main() -> None:
    wanted = os.environ.get("ONLY", "register")
    number = int(os.environ.get("CALLS", "5000"))
    print(machine())
    logging.disable(logging.INFO)
    app = seeded(users=1_000, bans=100)
    case = next(case for case in calls.cases(app, bans=100) if wanted in case.name)
    logging.disable(logging.NOTSET)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the log is written, but not shown
    print(f"{case.name}, {number:,} calls. {database()}.\n")

    caller = Caller(case.calls)
    caller.run(number // 10)
    seen: Counter[str] = Counter()

    def interrupted(_signal: int, frame: FrameType | None) -> None:
        seen[PARTS[part_of(frame)]] += 1

    signal.signal(signal.SIGPROF, interrupted)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    started, spent_before = time.perf_counter(), time.process_time()
    caller.run(number)
    whole, spent = time.perf_counter() - started, time.process_time() - spent_before
    signal.setitimer(signal.ITIMER_PROF, 0)

    total = number * len(case.calls)
    each, busy = 1000 * whole / total, 1000 * spent / total
    print(f"{'a call':<44}{each:6.2f} ms")
    print(f"{'waiting for the stores':<44}{each - busy:6.2f} ms{1 - busy / each:6.0%}")
    for part, times in seen.most_common():
        share = times / seen.total() * busy
        print(f"{part:<44}{share:6.2f} ms{share / each:6.0%}")


class Caller:
    """Repeats the calls of a case, each time with the next number."""

    def __init__(self, case_calls: Sequence[Call]) -> None:
        self._calls, self._number, self._handler = (
            case_calls,
            calls.FRESH,
            import_module("rollcall.wsgi").application,
        )

    def run(self, times: int) -> None:
        for _ in range(times):
            self._number += 1
            for call in self._calls:
                self._make(call)

    def _make(self, call: Call) -> None:
        path, body = (
            text % self._number if "%d" in text else text for text in (call.path, call.body)
        )
        address, _, query = path.partition("?")
        answered: list[str] = []
        response = self._handler(
            {
                "REQUEST_METHOD": call.method,
                "PATH_INFO": address,
                "QUERY_STRING": query,
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": "application/x-www-form-urlencoded",
                "SERVER_NAME": HOST,
                "SERVER_PORT": "80",
                "REMOTE_ADDR": HOST,
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(body.encode()),
                "HTTP_HOST": HOST,
                **{
                    f"HTTP_{name.upper().replace('-', '_')}": text
                    for name, text in call.headers.items()
                },
            },
            lambda status, _headers: answered.append(status),
        )
        text = b"".join(response)
        if not answered[0].startswith("200"):
            raise SystemExit(f"{call.method} {path}: {answered[0]} {text.decode()}")


def part_of(frame: FrameType | None) -> str:
    """The part of the innermost frame that belongs to one: the standard library counts for its
    caller.
    """
    while frame is not None:
        path = frame.f_code.co_filename
        package = path.rpartition("site-packages/")[2].removeprefix(f"{settings.BASE_DIR}/")
        for part in PARTS:
            if part and package.startswith(f"{part}/"):
                return part
        frame = frame.f_back
    return ""
