"""`python -m rollcall.demo.life`: everybody plays until the supervisor asks them to stop."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import django
from django.db import Error
from redis import RedisError
from websockets.exceptions import WebSocketException

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
django.setup()  # nothing is left to do in a fork

from rollcall.demo.life import cast, chores, clients, receiver  # noqa: E402
from rollcall.demo.life.database import in_thread  # noqa: E402

FIRST_PAUSE, LAST_PAUSE = 2.0, 30.0  # seconds after a failure
# What happens while stores and gateway restart.
EXPECTED = (Error, RedisError, OSError, EOFError, TimeoutError, WebSocketException)

log = logging.getLogger(__name__)


async def keep(play: Callable[[], Awaitable[None]]) -> None:
    """Play, and again whenever it fails. It ends when `play` returns."""
    pause = FIRST_PAUSE
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await play()
            return
        except EXPECTED as error:
            log.info("trying again: %s: %s", type(error).__name__, error)
        except Exception:
            log.exception("trying again")
        lasted = asyncio.get_running_loop().time() - began
        pause = FIRST_PAUSE if lasted > LAST_PAUSE else min(pause * 2, LAST_PAUSE)
        await asyncio.sleep(pause)


async def play() -> None:
    loop = asyncio.get_running_loop()
    # Two threads, so two connections to the database: one is busy with the import.
    loop.set_default_executor(ThreadPoolExecutor(2, thread_name_prefix="database"))
    everybody = await in_thread(cast.choose)
    if everybody is None:
        log.info("this is not the sample data: nobody plays")
        await asyncio.Event().wait()
        return
    async with asyncio.TaskGroup() as group:
        for each in (*clients.plays(everybody), *chores.plays(everybody)):
            group.create_task(keep(each))
        group.create_task(keep(lambda: receiver.serve(everybody)))


async def main() -> None:
    playing = asyncio.ensure_future(keep(play))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    await asyncio.wait([playing])


if __name__ == "__main__":
    asyncio.run(main())
