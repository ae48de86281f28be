"""How often an environment may make a call, per second.

Invariants
----------
* Counted over the cache that all web processes share (with Redis), for each environment and call,
  in windows of one second.
* An environment may have a number of its own in place of the vendor's, under "vendor call" in
  `Environment.rate_limits`.
* A limit must not become an outage: while the cache is away, calls pass, and the log says so.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache

from console.api.vendor import Caller

logger = logging.getLogger(__name__)

# A counter outlives its second by a margin, for clocks that differ between machines.
_KEPT_SECONDS = 5
# After a failure the cache is left alone for so long: each try may cost a time-out.
_REST = timedelta(seconds=5)
_rests_until = datetime.min.replace(tzinfo=UTC)


class RateExceeded(Exception):
    """More of this call than a second allows; the next second is another."""


@dataclass(frozen=True)
class Limit:
    """So many calls a second; or, where a call may name many users, so many users."""

    per_second: int
    of_users: bool = False


@dataclass(frozen=True)
class Limits:
    """A vendor's limits: the common one, and the calls that differ."""

    common: Limit
    special: Mapping[str, Limit] = field(default_factory=dict)

    def of(self, call_name: str) -> Limit:
        return self.special.get(call_name, self.common)

    def count_call(self, caller: Caller) -> None:
        """Raises `RateExceeded`. Calls that are limited by users count those, once they are known:
        see `count_users`.
        """
        limit = self.of(caller.call.name)
        if not limit.of_users:
            _count(limit, caller, 1)

    def count_users(self, caller: Caller, number: int) -> None:
        """Raises `RateExceeded`."""
        limit = self.of(caller.call.name)
        if limit.of_users:
            _count(limit, caller, number)


def _count(limit: Limit, caller: Caller, amount: int) -> None:
    if not settings.API_RATE_LIMITS:
        return
    allowed = caller.environment.rate_limits.get(caller.actor.via, limit.per_second)
    if _total(caller, amount) > allowed:
        raise RateExceeded(f"More than {allowed} {'users' if limit.of_users else 'calls'} a second")


def _total(caller: Caller, amount: int) -> int:
    """How many this second has seen, these included; 0 when nobody knows."""
    global _rests_until
    call = caller.call
    if call.now < _rests_until:
        return 0
    second = int(call.now.timestamp())
    name = call.name.replace(" ", ":")  # not every cache takes a blank in a key
    key = f"calls:{caller.environment.pk}:{call.vendor}:{name}:{second}"
    try:
        cache.add(key, 0, timeout=_KEPT_SECONDS)
        return cache.incr(key, amount)
    except Exception:
        # Whatever the cache's client raises: that it is away is not the caller's fault.
        _rests_until = call.now + _REST
        logger.exception("Rate limits are off for %s: no answer from the cache", _REST)
        return 0
