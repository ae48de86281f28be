"""How often an environment may make a call, per second.

Invariants
----------
* Redis, which all web processes share, counts the calls per environment and call in windows of one
  second. Each call costs one round trip.
* An environment may override the vendor's limits in its settings of that vendor.
* The limits cause no outage: while Redis is unreachable, calls pass and an error is logged.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from api.vendor import Caller
from applications import redis_client
from applications.vendors import Limit, VendorSettings

logger = logging.getLogger(__name__)

# How long Redis keeps a counter. Longer than its second, because machines' clocks differ.
_COUNTER_SECONDS = 5
# After a failure, do not call Redis for so long: each attempt may cost a timeout.
_PAUSE = timedelta(seconds=5)
_paused_until = datetime.min.replace(tzinfo=UTC)


class RateExceeded(Exception):
    """This second's limit is exceeded."""


@dataclass(frozen=True)
class Limits:
    """A vendor's limits: the default, and those of single calls."""

    default: Limit
    by_call: Mapping[str, Limit] = field(default_factory=dict)

    def of(self, call_name: str) -> Limit:
        return self.by_call.get(call_name, self.default)

    def count_call(self, caller: Caller) -> None:
        """Count one call. Raises `RateExceeded`. Does nothing for calls that are limited by users:
        see `count_users`.
        """
        limit = self.of(caller.call.name)
        if not limit.of_users:
            _count(limit, caller, 1)

    def count_users(self, caller: Caller, number: int) -> None:
        """Count the users in a call that is limited by users. Raises `RateExceeded`."""
        limit = self.of(caller.call.name)
        if limit.of_users:
            _count(limit, caller, number)


def _count(limit: Limit, caller: Caller, amount: int) -> None:
    if not settings.API_RATE_LIMITS:
        return
    call = caller.call
    chosen = VendorSettings.of(caller.environment, call.vendor).rate_limits
    allowed = chosen.get(call.name, limit.per_second)
    # The second is part of the name, so that all machines count in the same window.
    names = (str(caller.environment.pk), call.vendor, call.name, str(int(call.now.timestamp())))
    item = RateLimitItemPerSecond(allowed, _COUNTER_SECONDS)
    if _exceeds(item, "calls", *names, now=call.now, cost=amount):
        raise RateExceeded(f"More than {allowed} {'users' if limit.of_users else 'calls'} a second")


def _exceeds(item: RateLimitItem, *names: str, now: datetime, cost: int) -> bool:
    """Add `cost`. Returns False while Redis is unreachable."""
    global _paused_until
    if now < _paused_until:
        return False
    try:
        allowed = _limiter(settings.REDIS_URL).hit(item, *names, cost=cost)
    except Exception:
        # Any exception of the client: a lost Redis must not fail the call.
        _paused_until = now + _PAUSE
        logger.exception("Rate limits are off for %s: no answer from Redis", _PAUSE)
        return False
    return not allowed


@cache
def _limiter(url: str) -> FixedWindowRateLimiter:
    """Counts in one round trip, over this process's existing connections."""
    pool = redis_client.client().connection_pool
    return FixedWindowRateLimiter(RedisStorage(url, connection_pool=pool, key_prefix="rollcall"))
