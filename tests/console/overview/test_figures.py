"""The figures of the overview's cards are found in indexes."""

import pytest
from django.db import connection

from applications.models import Environment
from console.overview.views import measured
from moderation.models import Ban
from tests.factories import DAY, NOON, make_environment
from users.models import AppUser

pytestmark = pytest.mark.django_db

MANY = 2_000


def test_a_small_environment_beside_a_large_one_is_not_searched_for_in_the_table():
    large, small = (make_environment(kind="production", plan="pro") for _ in range(2))
    named = [(small if number < 10 else large, f"user-{number:05}") for number in range(MANY)]
    AppUser.objects.bulk_create(
        AppUser(environment=environment, user_id=user_id, registered_at=NOON)
        for environment, user_id in named
    )
    Ban.objects.bulk_create(
        Ban(
            environment=environment,
            user_id=user_id,
            imposed_at=NOON,
            imposed_by="grace",
            imposed_via="console",
            banned_since=NOON,
            expires_at=NOON + DAY,
        )
        for environment, user_id in named
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE users_appuser, moderation_ban")
        cursor.execute("SET LOCAL enable_sort = off")  # of so few rows; nobody sorts millions
    plan = measured(Environment.objects.all(), now=NOON).explain()
    assert "Seq Scan on users_appuser" not in plan
    assert "Seq Scan on moderation_ban" not in plan
    assert [each.registered for each in measured(Environment.objects.all(), now=NOON)][-1] == 10
