"""Law 36: wrong passwords slow down whoever guesses, and lock nobody out."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache

from applications import guesses
from applications.guesses import Guess, GuessedTooOften, Limits, Pace
from tests.factories import NOON, SECOND

LIMITS = Limits(
    by_name=Pace(5, 15 * SECOND), by_address=Pace(10, 10 * SECOND), known=Pace(10, 15 * SECOND)
)


@pytest.fixture(autouse=True)
def _nobody_has_guessed():
    cache.clear()


def guess(name="grace", address="192.0.2.1", browser=""):
    return Guess(place="staff", name=name, address=address, browser=browser)


def wait(who, now=NOON):
    """Seconds until the guess is admitted; 0 if it is."""
    try:
        guesses.admit(who, LIMITS, now=now)
    except GuessedTooOften as error:
        return error.wait.total_seconds()
    return 0


class TestOneNameFromManyAddresses:
    def test_is_slowed_to_one_guess_in_fifteen_seconds(self):
        now, admitted = NOON, 0
        for _second in range(600):
            admitted += sum(
                not wait(guess(address=f"192.0.2.{each}"), now) for each in range(1, 31)
            )
            now += SECOND
        assert 5 + 30 <= admitted <= 5 + 600 / 15

    def test_delays_the_right_person_by_the_turns_before_theirs_only(self):
        """The guessers go on, and each has a turn; so has the person, who is not passed over."""
        for each in range(1, 31):
            wait(guess(address=f"192.0.2.{each}"))
        person = guess(address="198.51.100.7")
        told = wait(person)
        assert told == (30 - 5 + 1) * 15
        now = NOON
        while now < NOON + timedelta(seconds=told):
            for each in range(1, 31):
                wait(guess(address=f"192.0.2.{each}"), now)
            now += 5 * SECOND
        assert wait(person, NOON + timedelta(seconds=told)) == 0

    def test_costs_nothing_to_whoever_has_signed_in_from_there_before(self):
        at_home, elsewhere = guess(address="198.51.100.7"), guess(address="203.0.113.9")
        guesses.was_right(guesses.admit(at_home, LIMITS, now=NOON))
        for each in range(1, 31):
            wait(guess(address=f"192.0.2.{each}"))
        assert wait(at_home) == 0
        assert wait(elsewhere) > 0
        assert wait(guess(address="203.0.113.9", browser="b-1")) == 0


class TestManyNamesFromOneAddress:
    def test_are_slowed_to_one_guess_in_ten_seconds(self):
        waits = [wait(guess(name=f"name-{each}")) for each in range(30)]
        assert waits[:10] == [0] * 10
        assert min(waits[10:]) == 10

    def test_slow_nobody_who_is_known_at_that_address(self):
        colleague = guess(name="ada")
        guesses.was_right(guesses.admit(colleague, LIMITS, now=NOON))
        for each in range(30):
            wait(guess(name=f"name-{each}"))
        assert wait(colleague) == 0


class TestGuesses:
    def test_in_a_known_browser_are_limited_too(self):
        waits = [wait(guess(browser="b-1")) for _ in range(12)]
        assert waits == [0] * 10 + [15, 15]

    def test_at_the_same_moment_are_all_counted(self):
        admitted = []
        threads = [
            threading.Thread(target=lambda: admitted.append(not wait(guess()))) for _ in range(32)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(admitted) == 5

    def test_that_were_right_cost_nothing(self):
        for _ in range(50):
            guesses.was_right(guesses.admit(guess(address=None), LIMITS, now=NOON))
        assert wait(guess(address=None)) == 0

    def test_pass_while_redis_is_unreachable(self, settings):
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        assert [wait(guess()) for _ in range(7)] == [0] * 7
