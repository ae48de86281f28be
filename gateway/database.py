"""Queries from the event loop: in threads, each with its own database connection."""

import asyncio
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections

from applications import metrics

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.GATEWAY_THREADS, thread_name_prefix="gateway-database")


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function that uses the ORM; return its result."""
    call = functools.partial(_with_connection, time.perf_counter(), function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor(), call)


def _with_connection(
    asked_at: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    metrics.DATABASE_WAITS.observe(time.perf_counter() - asked_at)
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()
