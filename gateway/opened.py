"""Tells the subscribers of users who have connected (`users.subscribers`)."""

import asyncio
import logging
from collections import defaultdict

from django.db import Error
from django.utils import timezone

from gateway.database import run_in_thread
from users import subscribers

log = logging.getLogger(__name__)

GATHER = 0.1  # seconds to collect a batch


class OpenedConnections:
    """A queue of users who have connected. All that is collected is told at once."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[str]] = defaultdict(set)
        self._wake = asyncio.Event()

    def put(self, environment_id: int, user_id: str) -> None:
        self._waiting[environment_id].add(user_id)
        self._wake.set()

    async def tell_forever(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER)
            self._wake.clear()
            told, self._waiting = self._waiting, defaultdict(set)
            for environment_id, user_ids in told.items():
                try:
                    await run_in_thread(
                        subscribers.tell,
                        environment_id=environment_id,
                        user_ids=user_ids,
                        now=timezone.now(),
                    )
                except Error as error:
                    log.warning("subscribers are not told of %d users: %s", len(user_ids), error)
