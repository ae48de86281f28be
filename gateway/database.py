"""Asking the database from the event loop: in threads, each call with a connection of its own."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def _executor() -> ThreadPoolExecutor:
    """As many threads as the pool has connections."""
    pool = settings.DATABASES["default"]["OPTIONS"]["pool"]
    return ThreadPoolExecutor(max_workers=pool["max_size"], thread_name_prefix="gateway-database")


async def ask(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function that uses the ORM."""
    call = functools.partial(_with_connection, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor(), call)


def _with_connection(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        connections.close_all()  # back to the pool, where there is one
