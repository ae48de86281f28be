"""Counting what a client, or an address, does: a bucket that fills again with time."""

import ipaddress
import time
from collections.abc import Hashable


class Bucket:
    """`burst` at once, and `rate` a second after that."""

    __slots__ = ("burst", "filled_at", "level", "rate")

    def __init__(self, *, burst: float, rate: float):
        self.burst, self.rate = burst, rate
        self.level, self.filled_at = burst, time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed."""
        self._fill()
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def owe(self) -> float:
        """Take one more in any case; the seconds until it would have been allowed."""
        self._fill()
        self.level -= 1
        return max(0.0, -self.level / self.rate)

    def _fill(self) -> None:
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now


class Buckets:
    """A bucket for each key. Full ones are forgotten, so memory follows the offenders alone."""

    def __init__(self, *, burst: float, rate: float):
        self.burst, self.rate = burst, rate
        self._buckets: dict[Hashable, Bucket] = {}

    def take(self, key: Hashable) -> bool:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(burst=self.burst, rate=self.rate)
        return bucket.take()

    def forget_full(self) -> None:
        now = time.monotonic()
        self._buckets = {
            key: bucket
            for key, bucket in self._buckets.items()
            if bucket.level + (now - bucket.filled_at) * self.rate < self.burst
        }


def neighbourhood(address: str | None) -> str | None:
    """Whose attempts are counted together: one IPv4 address, or one IPv6 network of 64 bits, in
    which a single machine may take any address it likes.
    """
    if address is None or ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
