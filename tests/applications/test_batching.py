"""Calls that wait at the same moment share one statement, and each gets its own answer."""

from threading import Event, Thread

from django.db import IntegrityError, OperationalError

from applications.batching import Batcher
from tests.waiting import PATIENCE, eventually


class Asked:
    """What is asked, batch by batch. The first one takes until `go`."""

    def __init__(self, fails=lambda names: None):
        self.batches = []
        self.go = Event()
        self.fails = fails

    def __call__(self, questions):
        self.batches.append(list(questions))
        if len(self.batches) == 1:
            assert self.go.wait(PATIENCE)
        if error := self.fails(list(questions)):
            raise error
        return {name: f"{name}: {question}" for name, question in questions.items()}


def answers(asked, *calls, most=10):
    """What each (key, name) gets that comes in while the first one is asked."""
    batcher = Batcher(asked, most=most)
    found = [None] * len(calls)

    def run(place, key, name):
        try:
            found[place] = batcher.ask(key, name, place)
        except Exception as error:
            found[place] = error

    threads = [Thread(target=run, args=(place, *call)) for place, call in enumerate(calls)]
    for number, thread in enumerate(threads):
        thread.start()
        assert eventually(lambda number=number: _taken(batcher, asked) > number)
    asked.go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert batcher._waiting == {}
    return found


def _taken(batcher, asked):
    """How many calls wait, or were asked."""
    return sum(map(len, batcher._waiting.values())) + sum(map(len, asked.batches))


def test_whoever_comes_in_meanwhile_is_asked_for_at_once():
    asked = Asked()
    found = answers(asked, ("home", "ada"), ("home", "bob"), ("home", "cy"))

    assert asked.batches == [["ada"], ["bob", "cy"]]
    assert found == ["ada: 0", "bob: 1", "cy: 2"]


def test_a_name_is_asked_for_once_at_a_time():
    asked = Asked()
    found = answers(asked, ("home", "ada"), ("home", "bob"), ("home", "bob"))

    assert asked.batches == [["ada"], ["bob"], ["bob"]]
    assert found == ["ada: 0", "bob: 1", "bob: 2"]


def test_a_batch_has_a_bound():
    asked = Asked()
    answers(asked, *[("home", f"user-{number}") for number in range(6)], most=3)

    assert [len(batch) for batch in asked.batches] == [1, 3, 2]


def test_others_do_not_wait_for_this_key():
    asked = Asked()
    found = answers(asked, ("home", "ada"), ("office", "bob"))

    assert asked.batches == [["ada"], ["bob"]]
    assert found == ["ada: 0", "bob: 1"]


def test_the_fault_of_one_is_not_anothers():
    asked = Asked(lambda names: IntegrityError("bob") if "bob" in names else None)
    ada, bob, cy = answers(asked, ("home", "ada"), ("home", "bob"), ("home", "cy"))

    assert (ada, cy) == ("ada: 0", "cy: 2")
    assert isinstance(bob, IntegrityError)
    assert sorted(asked.batches[2:]) == [["bob"], ["cy"]]


def test_a_lost_database_is_not_asked_again():
    """Nobody knows what it did."""
    lost = OperationalError("the server closed the connection")
    asked = Asked(lambda names: lost if "bob" in names else None)
    found = answers(asked, ("home", "ada"), ("home", "bob"), ("home", "cy"))

    assert asked.batches == [["ada"], ["bob", "cy"]]
    assert found == ["ada: 0", lost, lost]


def test_a_leader_that_is_ended_leaves_nobody_waiting():
    asked = Asked(lambda names: SystemExit() if names == ["bob", "cy"] else None)
    batcher = Batcher(asked, most=10)
    found = {}

    def run(name):
        try:
            found[name] = batcher.ask("home", name, 0)
        except SystemExit:
            found[name] = "ended"

    threads = []
    for number, name in enumerate(("ada", "bob", "cy")):
        threads.append(Thread(target=run, args=(name,)))
        threads[-1].start()
        assert eventually(lambda number=number: _taken(batcher, asked) > number)
    asked.go.set()
    for thread in threads:
        thread.join(PATIENCE)

    assert found == {"ada": "ada: 0", "bob": "ended", "cy": "cy: 0"}
