"""Spellings of an id that differ in case alone, registered at once."""

from functools import partial

import pytest

from applications import environments
from applications.models import Plan
from tests.factories import NOON, api_actor, make_environment
from tests.races.racing import only, race
from users import registration
from users.models import AppUser
from users.spelling import TakenInAnotherCase

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("plan", [Plan.TRIAL, Plan.PRO])
def test_of_all_spellings_one_is_admitted(plan):
    environment = make_environment(kind="production", plan=plan, ids_ignore_case=True)
    for number in range(20):
        ids = [f"mia-{number}", f"Mia-{number}", f"MIA-{number}", f"mIA-{number}"]
        verbs = [
            partial(registration.register, environment=environment, user_id=user_id, now=NOON)
            for user_id in ids
        ]
        admitted = only(TakenInAnotherCase, race(*verbs))
        assert len(admitted) == 1
    assert AppUser.objects.count() == 20


def test_of_several_at_once_nobody_waits_in_a_ring():
    environment = make_environment(kind="production", plan=Plan.PRO, ids_ignore_case=True)
    for number in range(20):
        names = [f"{name}-{number}" for name in ("ann", "bob", "cy", "dee")]
        lists = [names, [name.upper() for name in reversed(names)]]
        verbs = [
            partial(
                registration.register_new,
                environment=environment,
                users=[AppUser(user_id=user_id) for user_id in ids],
                now=NOON,
            )
            for ids in lists
        ]
        assert len(only(TakenInAnotherCase, race(*verbs))) == 1


def test_who_makes_an_environment_ignore_case_shuts_out_whoever_does_not_know_it_yet():
    """An environment is remembered for a while; the database is not fooled."""
    for _ in range(20):
        environment = make_environment(kind="production", plan=Plan.PRO)
        stale = make_environment(application=environment.application, kind="production")

        def by_a_door_without_case(environment=environment):
            environments.change(
                environment=environment, ids_ignore_case=True, by=api_actor(), now=NOON
            )
            registration.register(environment=environment, user_id="mia", now=NOON)

        race(
            by_a_door_without_case,
            partial(registration.register, environment=stale, user_id="Mia", now=NOON),
        )
        assert AppUser.objects.filter(environment=environment).count() == 1
