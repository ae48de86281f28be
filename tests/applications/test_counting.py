"""Counts: exact as far as a page needs, an estimate that says so beyond."""

import pytest
from django.db.models import OuterRef

from applications import counting
from applications.counting import BoundedCount, Count, count
from applications.models import Environment
from tests.factories import make_environment, make_users
from users.models import AppUser

pytestmark = pytest.mark.django_db


def test_up_to_the_bound_a_count_is_exact(monkeypatch):
    monkeypatch.setattr(counting, "EXACT_UP_TO", 5)
    environment = make_environment()
    make_users(environment=environment, count=5)
    assert count(AppUser.objects.all()) == Count(5)


def test_beyond_it_a_count_says_that_it_is_not(monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(counting, "EXACT_UP_TO", 5)
    make_users(environment=make_environment(), count=40)
    with django_assert_max_num_queries(2):
        beyond = count(AppUser.objects.order_by("-registered_at"))
    assert not beyond.exact
    assert beyond.value > 5
    assert not beyond.at_least


def test_a_bounded_count_stops_at_its_slice():
    full, small = make_environment(), make_environment()
    make_users(environment=full, count=12)
    make_users(environment=small, count=3)
    users = AppUser.objects.filter(environment=OuterRef("pk")).values("pk")[:10]
    counted = Environment.objects.annotate(users_held=BoundedCount(users))
    assert counted.get(pk=full.pk).users_held == 10
    assert counted.get(pk=small.pk).users_held == 3
