"""Counts: exact as far as a page needs, an estimate that says so beyond."""

import pytest
from django.db import connection
from django.db.models import OuterRef, QuerySet

from applications import counting
from applications.counting import BoundedCount, Count, bounded, count
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
    environment = make_environment()
    make_users(environment=environment, count=40)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE users_appuser")
    with django_assert_max_num_queries(2):
        beyond = count(AppUser.objects.order_by("-registered_at"))
    assert beyond == Count(40, exact=False)


def test_rows_that_another_table_names_are_counted_less_far(monkeypatch):
    monkeypatch.setattr(counting, "LOOKED_UP_UP_TO", 5)
    make_users(environment=make_environment(), count=6)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE users_appuser")
    assert count(AppUser.objects.all(), is_looked_up=True) == Count(6, exact=False)
    assert count(AppUser.objects.all()) == Count(6)


def test_an_estimate_below_what_was_counted_is_not_believed(monkeypatch):
    monkeypatch.setattr(counting, "EXACT_UP_TO", 5)
    make_users(environment=make_environment(), count=6)
    guess = '[{"Plan": {"Plan Rows": 3}}]'
    monkeypatch.setattr(QuerySet, "explain", lambda self, **_: guess)
    assert count(AppUser.objects.all()) == Count(5, exact=False, at_least=True)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (Count(10_000), "10,000"),
        (Count(10_000, exact=False), "about 10,000"),
        (Count(1_234_567, exact=False), "about 1.2 million"),
        (Count(2_960_000_000, exact=False), "about 3 billion"),
        (Count(100, exact=False, at_least=True), "more than 100"),
        (bounded(100, at=100), "100"),
        (bounded(101, at=100), "more than 100"),
    ],
)
def test_a_count_says_what_it_is(number, said):
    assert str(number) == said


def test_a_bounded_count_stops_at_its_slice():
    full, small = make_environment(), make_environment()
    make_users(environment=full, count=12)
    make_users(environment=small, count=3)
    users = AppUser.objects.filter(environment=OuterRef("pk")).values("pk")[:10]
    counted = Environment.objects.annotate(users_held=BoundedCount(users))
    assert counted.get(pk=full.pk).users_held == 10
    assert counted.get(pk=small.pk).users_held == 3
