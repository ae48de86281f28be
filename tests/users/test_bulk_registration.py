"""Very many users are registered in batches, several at once."""

import pytest
from django.db import IntegrityError

from applications.models import Plan
from tests.factories import NOON, make_deactivated, make_environment, make_user
from users import bulk_registration
from users.admission import Newcomer
from users.bulk_registration import register_many
from users.models import AppUser, RegistrationTally
from users.quota import QuotaExceeded

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(bulk_registration, "MOST_AT_ONCE", 3)


def newcomers(count):
    return [Newcomer(f"user-{number}", NOON) for number in range(count)]


def test_each_is_registered_once_and_counted_in_its_day():
    environment = make_environment(kind="production", plan=Plan.PRO)
    make_user(environment=environment, user_id="user-1", name="Ada")
    make_deactivated(environment=environment, user_id="user-2")
    for new in (48, 0):
        batches = list(register_many(environment=environment, newcomers=newcomers(50), now=NOON))
        assert [sum(each) for each in zip(*batches, strict=True)] == [50, new]
    assert AppUser.objects.filter(environment=environment).count() == 49
    assert AppUser.objects.get(user_id="user-1").name == "Ada"
    tally = RegistrationTally.objects.filter(environment=environment, day=NOON.date())
    assert sum(tally.values_list("count", flat=True)) == 48


def test_a_limit_is_reached_and_not_exceeded():
    environment = make_environment(kind="development")
    with pytest.raises(QuotaExceeded):
        list(register_many(environment=environment, newcomers=newcomers(110), now=NOON))
    assert AppUser.objects.filter(environment=environment).count() == 99


def test_a_batch_that_fails_stops_the_others():
    environment = make_environment(kind="production", plan=Plan.PRO)
    broken = newcomers(10_000)
    broken[4] = broken[4]._replace(password=None)
    with pytest.raises(IntegrityError):
        list(register_many(environment=environment, newcomers=broken, now=NOON))
    assert AppUser.objects.filter(environment=environment).count() < 10_000
