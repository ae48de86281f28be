"""Ids that differ only in upper and lower case: one spelling is admitted where an environment
ignores case, whichever door it comes through. tests/races/test_spellers.py has two at once.
"""

import pytest
from django.db import IntegrityError, connection, transaction

from applications import environments
from tests.factories import (
    NOON,
    make_deactivated,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from users import registration
from users.fields import in_any_case
from users.models import AppUser
from users.spelling import TakenInAnotherCase

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment():
    return make_environment(ids_ignore_case=True)


def register(environment, user_id):
    return registration.register(environment=environment, user_id=user_id, now=NOON)


class TestLaw:
    def test_admits_one_spelling(self, environment):
        register(environment, "Mia")

        with pytest.raises(TakenInAnotherCase) as refused:
            register(environment, "mia")
        assert refused.value.user_ids == ["mia"]
        assert not register(environment, "Mia").created
        assert AppUser.objects.get().user_id == "Mia"

    def test_of_several_admits_all_or_none(self, environment):
        register(environment, "Mia")

        with pytest.raises(TakenInAnotherCase) as refused:
            registration.register_new(
                environment=environment,
                users=[AppUser(user_id=user_id) for user_id in ("MIA", "new", "mia")],
                now=NOON,
            )
        assert refused.value.user_ids == ["MIA", "mia"]
        assert AppUser.objects.count() == 1

    def test_counts_a_deactivated_id(self, environment):
        make_deactivated(environment=environment, user_id="Mia")

        with pytest.raises(TakenInAnotherCase):
            register(environment, "mia")

    def test_is_each_environments_own(self, environment):
        other = make_environment()
        for user_id in ("Mia", "mia"):
            assert register(other, user_id).created
        register(environment, "Mia")
        assert register(make_environment(ids_ignore_case=True), "mia").created

    def test_leaves_those_who_were_registered_before(self, environment):
        """And keeps out only a further spelling."""
        environment.ids_ignore_case = False
        environment.save()
        for user_id in ("Mia", "mia"):
            register(environment, user_id)
        environments.change(
            environment=environment, ids_ignore_case=True, by=staff_actor(), now=NOON
        )

        for user_id in ("Mia", "mia"):
            assert not register(environment, user_id).created
        with pytest.raises(TakenInAnotherCase):
            register(environment, "MIA")

    def test_is_the_databases(self, environment):
        make_user(environment=environment, user_id="Mia")

        with pytest.raises(IntegrityError, match="spelling"), transaction.atomic():
            make_user(environment=environment, user_id="mia")

    def test_is_asked_of_an_index(self, environment):
        make_users(environment=environment, count=500)
        users = AppUser.objects.filter(in_any_case(["MIA"]), environment=environment)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE users_appuser")
        assert "users_in_any_case" in users.explain()
