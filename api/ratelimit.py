"""How often an environment may make a call, per second.

Invariants
----------
* Counted in Redis, which all web processes share, for each environment and call, in windows of one
  second, with one round trip for a call.
* An environment may have a number of its own in place of the vendor's, among its settings of that
  vendor.
* A limit must not become an outage: while Redis is away, calls pass, and the log says so.
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

# In seconds: a counter outlives its second by a margin, for clocks that differ between machines.
_KEPT = 5
# So many wrong passwords for one user in so many seconds, and further ones are refused unread. A
# vendor's own number is not known.
MAX_GUESSES, GUESSES_WITHIN = 10, 600
# After a failure Redis is left alone for so long: each try may cost a time-out.
_REST = timedelta(seconds=5)
_rests_until = datetime.min.replace(tzinfo=UTC)


class RateExceeded(Exception):
    """More of this than its window of time allows; the next one begins in `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int = 1):
        super().__init__(message)
        self.retry_after = retry_after


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
    call = caller.call
    chosen = VendorSettings.of(caller.environment, call.vendor).rate_limits
    allowed = chosen.get(call.name, limit.per_second)
    # The caller's second is part of the name, so that machines count in the same one.
    names = (str(caller.environment.pk), call.vendor, call.name, str(int(call.now.timestamp())))
    item = RateLimitItemPerSecond(allowed, _KEPT)
    if _exceeds(item, "calls", *names, now=call.now, cost=amount):
        raise RateExceeded(f"More than {allowed} {'users' if limit.of_users else 'calls'} a second")


def count_guess(caller: Caller, user_id: str, *, wrong: bool) -> None:
    """Ask before a password is looked at, and tell when it was wrong. Raises `RateExceeded` once
    there were too many wrong ones for this user: then the right one is refused as well, or it could
    still be found.
    """
    window, passed = divmod(int(caller.now.timestamp()), GUESSES_WITHIN)
    item = RateLimitItemPerSecond(MAX_GUESSES, GUESSES_WITHIN)
    names = ("guesses", str(caller.environment.pk), user_id, str(window))
    if _exceeds(item, *names, now=caller.now, cost=int(wrong)):
        raise RateExceeded(
            "Too many wrong passwords for this user", retry_after=GUESSES_WITHIN - passed
        )


def _exceeds(item: RateLimitItem, *names: str, now: datetime, cost: int = 1) -> bool:
    """Count `cost`, or with 0 only look. False while nobody can count."""
    global _rests_until
    if now < _rests_until:
        return False
    try:
        limiter = _limiter(settings.REDIS_URL)
        allowed = limiter.hit(item, *names, cost=cost) if cost else limiter.test(item, *names)
    except Exception:
        # Whatever the client raises: that the counters are away is not the caller's fault.
        _rests_until = now + _REST
        logger.exception("Rate limits are off for %s: no answer from Redis", _REST)
        return False
    return not allowed


@cache
def _limiter(url: str) -> FixedWindowRateLimiter:
    """Counts in one round trip, over the connections that this process has anyway."""
    pool = redis_client.client().connection_pool
    return FixedWindowRateLimiter(RedisStorage(url, connection_pool=pool, key_prefix="rollcall"))
