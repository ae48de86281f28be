"""Celery's Redis transport, which skips foreign messages.

In the original, a message in the queue that is not Celery's (from another program, or a hand-typed
`LPUSH`) raises out of the worker's loop and ends the process. Here it is logged and skipped; it has
already left the queue. Celery itself refuses messages with invalid contents.
"""

import logging
from contextlib import suppress
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

log = logging.getLogger(__name__)

# Errors of reading a foreign message: not JSON, not an object, keys missing.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


class QoS(redis.QoS):
    channel: Any

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        try:
            super().restore_by_tag(tag, client, leftmost)
        except UNREADABLE as error:
            log.error("dropped an unfinished message that cannot be read: %r", error)
            with self.channel.conn_or_acquire(client) as connection:
                connection.hdel(self.unacked_key, tag)
                connection.zrem(self.unacked_index_key, tag)


class Channel(redis.Channel):
    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except UNREADABLE as error:
            log.error("skipped a message in the queue that cannot be read: %r", error)
            raise Empty from error


class Transport(redis.Transport):
    Channel = Channel

    def _deliver(self, message: Any, queue: Any) -> None:
        try:
            super()._deliver(message, queue)
        except UNREADABLE as error:
            log.error("skipped a message that cannot be read: %.200r (%r)", message, error)
            self._forget(message)

    def _forget(self, message: Any) -> None:
        """Reject the message, or it stays unacknowledged and is delivered again and again."""
        with suppress(*UNREADABLE):
            tag = message["properties"]["delivery_tag"]
            for channel in self.channels or ():
                channel.basic_reject(tag, requeue=False)


class SentinelChannel(Channel, redis.SentinelChannel):
    """Asks Sentinels for the server."""


class SentinelTransport(Transport):
    default_port = redis.SentinelTransport.default_port
    Channel = SentinelChannel


def use() -> None:
    """Make Celery use these transports for `redis://` and `sentinel://`."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:{SentinelTransport.__name__}"
