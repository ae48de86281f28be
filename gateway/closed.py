"""Deletes the rows of closed connections."""

import asyncio
import logging

from django.db import Error
from django.utils import timezone

from gateway.database import run_in_thread
from users import presence

log = logging.getLogger(__name__)

GATHER = 0.05  # seconds to collect a batch
AT_ONCE = 500
PAUSE = 1.0  # seconds before a retry, after the database did not answer


class ClosedConnections:
    """A queue of closed connections, deleted in batches of up to `AT_ONCE`."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._wake = asyncio.Event()

    def put(self, connection_id: int) -> None:
        self._waiting.add(connection_id)
        self._wake.set()

    async def delete_forever(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER)
            batch = list(self._waiting)[:AT_ONCE]
            try:
                await run_in_thread(presence.disconnect, connection_ids=batch, now=timezone.now())
            except Error as error:
                log.warning("closed connections will be deleted later: %s", error)
                await asyncio.sleep(PAUSE)
                continue
            self._waiting.difference_update(batch)
            if not self._waiting:
                self._wake.clear()
