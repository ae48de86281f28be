"""`manage.py seed`: many users at once, within the law."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import Plan
from moderation.models import Ban, BlocklistEntry
from rollcall.management.commands import seed as seeding
from tests import factories
from tests.factories import NOON
from users import bulk_registration, quota, registration
from users.admission import MOST_AT_ONCE
from users.models import AppUser, RegistrationTally

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def pro():
    return factories.make_environment(kind="production", plan=Plan.PRO)


def seed(environment, users, **options):
    call_command("seed", app_key=environment.app_key, users=users, **options)


def test_registers_over_the_past_with_tallies(pro):
    seed(pro, 2_500)
    users = AppUser.objects.filter(environment=pro)
    days = Counter(moment.date() for moment in users.values_list("registered_at", flat=True))
    assert sum(days.values()) == 2_500
    assert min(days) == NOON.date() - timedelta(days=90)
    told = quota.registrations_per_day(environment=pro, now=NOON, days=91)
    assert dict(told) == {day: days[day] for day, _ in told}
    assert 0 < users.never_connected().count() < 1_000
    assert not users.filter(last_seen_at__gt=NOON).exists()


def test_leaves_alone_who_is_there_and_who_is_deactivated(pro):
    factories.make_user(environment=pro, user_id="seed-0000002", name="Old")
    factories.make_deactivated(environment=pro, user_id="seed-0000003")
    seed(pro, 5)
    seed(pro, 5)
    assert AppUser.objects.count() == 4
    assert AppUser.objects.get(user_id="seed-0000002").name == "Old"
    assert sum(RegistrationTally.objects.values_list("count", flat=True)) == 3


def test_a_limit_holds_and_nothing_is_half_done(pro):
    development = pro.application.environments.get(kind="development")
    factories.make_users(environment=development, count=40)
    with pytest.raises(CommandError, match=r"40 of 100 .* This run has registered 0\."):
        seed(development, 61)
    assert AppUser.objects.filter(environment=development).count() == 40
    assert not RegistrationTally.objects.exists()
    seed(development, 60)
    assert AppUser.objects.filter(environment=development).count() == 100


def test_bans_and_blocks_some_of_them(pro):
    seed(pro, 300, bans=120, blocked=250)
    assert Ban.objects.in_force(NOON).count() == 120
    assert BlocklistEntry.objects.count() == 250
    known = set(AppUser.objects.values_list("user_id", flat=True))
    assert set(Ban.objects.values_list("user_id", flat=True)) <= known


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"users": 0}, "--users"),
        ({"users": 2, "bans": 3}, "--bans"),
        ({"users": 1, "blocked": 1}, "--blocked"),
        ({"users": 1, "prefix": "a b"}, "--prefix"),
        ({"users": 1, "prefix": "x" * 64}, "--prefix"),
    ],
)
def test_refuses_what_makes_no_sense(pro, options, reason):
    with pytest.raises(CommandError, match=reason):
        seed(pro, **options)
    assert not AppUser.objects.exists()


def test_names_an_unknown_app_key():
    with pytest.raises(CommandError, match="No environment has the app key nonsense"):
        call_command("seed", app_key="nonsense", users=1)


def test_a_chunk_has_an_end(pro):
    users = [AppUser(user_id=f"user-{number}") for number in range(MOST_AT_ONCE + 1)]
    with pytest.raises(ValueError, match="more than 2000"):
        registration.register_new(environment=pro, users=users, now=NOON)
    assert not AppUser.objects.exists()


def test_plans_made_for_empty_tables_are_not_kept(pro, monkeypatch):
    """Or each batch would read all users before it."""
    monkeypatch.setattr(bulk_registration, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(seeding, "GROUP", 2)
    with CaptureQueriesContext(connection) as captured:
        seed(pro, 6, bans=6)
    for word in ("users_admit", "moderation_decide"):
        told = [sql["sql"] for sql in captured if word in sql["sql"] or "ANALYZE" in sql["sql"]]
        first = next(place for place, sql in enumerate(told) if word in sql)
        assert "ANALYZE" in told[first + 1], word
        assert word in told[first + 2], word
