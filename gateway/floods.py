"""Rate limits for clients and addresses: token buckets."""

import ipaddress
import time
from collections.abc import Hashable


class Bucket:
    """A token bucket: `burst` actions at once, then `rate` per second."""

    __slots__ = ("burst", "filled_at", "level", "rate")

    def __init__(self, *, burst: float, rate: float):
        self.burst, self.rate = burst, rate
        self.level, self.filled_at = burst, time.monotonic()

    def take(self) -> bool:
        """Take a token; False if there is none."""
        self._fill()
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def reserve(self) -> float:
        """Take a token that may not be there yet; return the seconds until it is."""
        self._fill()
        self.level -= 1
        return max(0.0, -self.level / self.rate)

    def _fill(self) -> None:
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now


class Buckets:
    """A bucket for each key. Full buckets are removed, so only active keys use memory."""

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


def network_of(address: str | None) -> str | None:
    """The network whose attempts are counted together: an IPv4 address, or an IPv6 /64, because one
    machine can use every address in it.
    """
    if address is None or ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
