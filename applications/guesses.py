"""Wrong passwords slow down whoever guesses, and lock nobody out.

A guess at a name is admitted at once while few have been wrong. After that, guesses from strangers
take turns: each address that asks is told when its turn is, one turn after the other. So a thousand
addresses guess no faster than one, and the right person waits for the turns before theirs, not for
the guessers to stop. An address that guesses at many names waits between its guesses, too.

Invariants
----------
* Somebody who has signed in from this browser or address before is counted apart: what strangers
  guess costs them nothing.
* Redis, which all processes share, counts in one step. A guess is counted before the password is
  checked, so guesses at the same moment are all counted; a right one is taken back.
* Names and addresses are stored under keyed hashes.
* The limits cause no outage: while Redis is unreachable, guesses pass and an error is logged.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import redis
from django.utils.translation import ngettext

from applications import redis_client, vault

logger = logging.getLogger(__name__)

# Wrong guesses are counted in windows of this length.
WINDOW = timedelta(hours=1)
# A turn that nobody takes within this time is lost.
TURN_KEPT = timedelta(minutes=10)
# After the last right password from an address, it stays known for this long.
ADDRESS_KEPT = timedelta(days=60)


@dataclass(frozen=True)
class Pace:
    """`free` wrong guesses in a window are not slowed; then one guess is admitted in `every`."""

    free: int
    every: timedelta


@dataclass(frozen=True)
class Limits:
    """`by_name` and `by_address` are for strangers; `known` for a known browser or address."""

    by_name: Pace
    by_address: Pace
    known: Pace


@dataclass(frozen=True)
class Guess:
    """Somebody tries a password. `place` is where names are unique, such as "staff"; `browser`
    identifies a browser that has signed in with this name before, if it is one.
    """

    place: str
    name: str
    address: str | None
    browser: str = ""


@dataclass(frozen=True)
class Admission:
    """An admitted guess, and the counters in Redis that it is in."""

    guess: Guess
    counts: Sequence[str] = ()


class GuessedTooOften(Exception):
    """The password was not checked. The next guess is admitted after `wait`."""

    def __init__(self, wait: timedelta):
        self.wait = wait
        super().__init__(
            ngettext(
                "Too many wrong passwords. Try again in {count} second.",
                "Too many wrong passwords. Try again in {count} seconds.",
                self.seconds,
            ).format(count=self.seconds)
        )

    @property
    def seconds(self) -> int:
        return max(1, math.ceil(self.wait.total_seconds()))


# For each rule three keys (guesses in this window; this guesser's turn; the last turn given) and
# three arguments (free guesses, seconds between turns, seconds that the window is kept).
_ADMIT = """
local now, kept, wait = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
for rule = 0, #KEYS / 3 - 1 do
  local count, own, last = KEYS[3 * rule + 1], KEYS[3 * rule + 2], KEYS[3 * rule + 3]
  local free, every = tonumber(ARGV[3 * rule + 3]), tonumber(ARGV[3 * rule + 4])
  if tonumber(redis.call('GET', count) or 0) >= free then
    local turn = tonumber(redis.call('GET', own))
    if not turn then
      turn = math.max(now, tonumber(redis.call('GET', last) or 0)) + every
      local ttl = math.ceil(turn - now + kept)
      redis.call('SET', own, string.format('%.3f', turn), 'EX', ttl)
      redis.call('SET', last, string.format('%.3f', turn), 'EX', ttl)
    end
    wait = math.max(wait, turn - now)
  end
end
if wait > 0 then return string.format('%.3f', wait) end
for rule = 0, #KEYS / 3 - 1 do
  redis.call('DEL', KEYS[3 * rule + 2])
  redis.call('INCR', KEYS[3 * rule + 1])
  redis.call('EXPIRE', KEYS[3 * rule + 1], ARGV[3 * rule + 5])
end
return '0'
"""


def admit(guess: Guess, limits: Limits, *, now: datetime) -> Admission:
    """Count a guess, before the password is checked. Raises `GuessedTooOften`."""
    try:
        rules = _rules(guess, limits, now)
        keys = [key for rule in rules for key in rule.keys]
        arguments: list[Any] = [now.timestamp(), TURN_KEPT.total_seconds()]
        for rule in rules:
            pace = rule.pace
            arguments += [pace.free, pace.every.total_seconds(), int(WINDOW.total_seconds()) + 60]
        wait = float(_script()(keys=keys, args=arguments, client=redis_client.client()))
    except redis.RedisError:
        logger.exception("Wrong passwords are not slowed down: no answer from Redis")
        return Admission(guess)
    if wait:
        raise GuessedTooOften(timedelta(seconds=wait))
    return Admission(guess, [rule.keys[0] for rule in rules])


def was_right(admission: Admission) -> None:
    """Take back the count of a guess, and remember its address."""
    guess = admission.guess
    try:
        with redis_client.client().pipeline(transaction=False) as pipeline:
            for count in admission.counts:
                pipeline.decr(count)
            if guess.address is not None:
                pipeline.set(_known_address(guess), 1, ex=ADDRESS_KEPT)
            pipeline.execute()
    except redis.RedisError:
        logger.exception("A right password is not remembered: no answer from Redis")


@dataclass(frozen=True)
class _Rule:
    pace: Pace
    keys: Sequence[str]


def _rules(guess: Guess, limits: Limits, now: datetime) -> list[_Rule]:
    window = int(now.timestamp() // WINDOW.total_seconds())
    address = guess.address or "unknown"
    if guess.browser:
        return [_rule(limits.known, "browser", window, (guess.place, guess.name, guess.browser))]
    if guess.address is not None and redis_client.client().exists(_known_address(guess)):
        return [_rule(limits.known, "known", window, (guess.place, guess.name, address))]
    return [
        _rule(limits.by_name, "name", window, (guess.place, guess.name), by=address),
        _rule(limits.by_address, "address", window, (guess.place, address)),
    ]


def _rule(pace: Pace, kind: str, window: int, what: Sequence[str], *, by: str = "") -> _Rule:
    subject = _hashed(kind, *what)
    keys = (
        f"rollcall:guesses:{subject}:{window}",
        f"rollcall:guesses:{subject}:turn:{_hashed(by)}",
        f"rollcall:guesses:{subject}:turns",
    )
    return _Rule(pace, keys)


def _known_address(guess: Guess) -> str:
    return f"rollcall:known:{_hashed('known', guess.place, guess.name, guess.address or '')}"


def _hashed(*words: str) -> str:
    text = "\0".join(words)
    return vault.macs("guesses", text.encode(errors="replace"))[0].hex()[:32]


@cache
def _script() -> Any:
    return redis_client.client().register_script(_ADMIT)
