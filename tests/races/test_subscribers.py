"""The limit of subscriptions, under concurrency."""

from datetime import timedelta
from functools import partial

import pytest

from tests.factories import NOON, make_environment
from tests.races.racing import only, race
from users import statuses
from users.models import StatusSubscription

pytestmark = pytest.mark.django_db(transaction=True)


def test_nobody_hears_of_more_than_the_limit(monkeypatch):
    monkeypatch.setattr(statuses, "MAX_SUBSCRIPTIONS", 10)
    environment = make_environment()

    def subscribe(number):
        statuses.subscribe(
            environment=environment,
            owner_id="ann",
            about_ids=[f"user-{number}-{each}" for each in range(4)],
            lifetime=timedelta(hours=1),
            now=NOON,
        )

    answers = race(*[partial(subscribe, number) for number in range(6)])

    only(statuses.TooManySubscriptions, answers)
    assert StatusSubscription.objects.count() == 8
