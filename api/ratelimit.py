"""How often an environment may make a call, per second.

Invariants
----------
* Counted in Redis, which all web processes share, for each environment and call, in windows of one
  second; without Redis in each process for itself.
* An environment may have a number of its own in place of the vendor's, among its settings of that
  vendor.
* A limit must not become an outage: while Redis is away, calls pass, and the log says so.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache

from api.vendor import Caller
from applications import redis_client
from applications.vendors import Limit, VendorSettings

logger = logging.getLogger(__name__)

# A counter outlives its second by a margin, for clocks that differ between machines.
_KEPT = timedelta(seconds=5)
# Wrong passwords for one user, until further ones are refused unread. A vendor's own number is not
# known.
MAX_GUESSES, GUESSES_WITHIN = 10, timedelta(minutes=10)
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
    chosen = VendorSettings.of(caller.environment, caller.call.vendor).rate_limits
    allowed = chosen.get(caller.call.name, limit.per_second)
    if _total(caller, amount) > allowed:
        raise RateExceeded(f"More than {allowed} {'users' if limit.of_users else 'calls'} a second")


def count_guess(caller: Caller, user_id: str, *, wrong: bool) -> None:
    """Ask before a password is looked at, and tell when it was wrong. Raises `RateExceeded` once
    there were too many wrong ones for this user: then the right one is refused as well, or it could
    still be found.
    """
    seconds = int(GUESSES_WITHIN.total_seconds())
    window, passed = divmod(int(caller.now.timestamp()), seconds)
    key = f"guesses:{caller.environment.pk}:{user_id}:{window}"
    if _incremented(key, int(wrong), caller.now, kept=GUESSES_WITHIN) >= MAX_GUESSES + wrong:
        raise RateExceeded("Too many wrong passwords for this user", retry_after=seconds - passed)


def _total(caller: Caller, amount: int) -> int:
    """How many this second has seen, these included; 0 when nobody knows."""
    call = caller.call
    second = int(call.now.timestamp())
    name = call.name.replace(" ", ":")  # not every cache takes a blank in a key
    key = f"calls:{caller.environment.pk}:{call.vendor}:{name}:{second}"
    return _incremented(key, amount, call.now, kept=_KEPT)


def _incremented(key: str, amount: int, now: datetime, *, kept: timedelta) -> int:
    global _rests_until
    if now < _rests_until:
        return 0
    try:
        return _add(key, amount, int(kept.total_seconds()))
    except Exception:
        # Whatever the client raises: that the counters are away is not the caller's fault.
        _rests_until = now + _REST
        logger.exception("Rate limits are off for %s: no answer from Redis", _REST)
        return 0


def _add(key: str, amount: int, seconds: int) -> int:
    """The counter's new value; it lives for so many seconds."""
    if not settings.REDIS_URL:
        cache.add(key, 0, timeout=seconds)
        return cache.incr(key, amount)
    # At once; Django's cache takes three round trips, a fifth of a call's time.
    with redis_client.client().pipeline() as both:
        both.incrby(f"rollcall:{key}", amount)
        both.expire(f"rollcall:{key}", seconds)
        return int(both.execute()[0])
