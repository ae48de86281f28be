"""Ids that differ only in case, through doors that are case-sensitive and one that is not. The law
is tested in tests/users/test_spelling.py.
"""

import pytest

from applications.models import AuditEvent
from tests.api.agora.calls import Agora
from tests.factories import make_user
from users.models import AppUser


class TestDoors:
    """Agora Chat's ids ignore case. Its first registration makes all doors ignore it."""

    @pytest.fixture
    def agora(self, environment, at_noon):
        return Agora(environment)

    def test_are_case_sensitive_until_agora_registers_a_user(self, agora, rongcloud, nexconn):
        for user_id in ("Mia", "mia", "Ann"):
            assert rongcloud("getToken", userId=user_id, name="x")[0] == 200

        answer = agora("POST", "users", {"username": "ANN", "password": "1"})[1]
        assert answer["error"] == "duplicate_unique_property_exists"

        assert agora("POST", "users", {"username": "Bob", "password": "1"})[0] == 200
        assert rongcloud("getToken", userId="BOB", name="x")[1]["code"] == 1002
        assert nexconn("auth/access-token/issue", userId="BOB", name="x")[1]["code"] == 1002
        for user_id in ("Mia", "mia"):
            assert rongcloud("getToken", userId=user_id, name="x")[0] == 200
        assert set(AppUser.objects.values_list("user_id", flat=True)) == {
            *("Mia", "mia", "Ann", "bob"),
        }

    def test_report_each_name_of_a_batch(self, agora, rongcloud):
        rongcloud("getToken", userId="Mia", name="x")
        wanted = [{"username": name, "password": "1"} for name in ("mia", "ann")]
        status, body = agora("POST", "users", wanted)

        assert status == 200
        assert [entity["username"] for entity in body["entities"]] == ["ann"]
        assert body["data"] == [
            {"username": "mia", "registerUserFailReason": "the mia already exists"}
        ]

    def test_audit_that_an_environment_ignores_case(self, environment, agora):
        agora("POST", "users", {"username": "ann", "password": "1"})

        environment.refresh_from_db()
        assert environment.ids_ignore_case
        assert AuditEvent.objects.filter(type="environment.changed").count() == 1


class TestAgoraFinds:
    @pytest.fixture
    def agora(self, environment, at_noon):
        return Agora(environment)

    def names(self, agora, name):
        status, body = agora("GET", f"users/{name}")
        return body["entities"][0]["username"] if status == 200 else status

    def test_a_user_in_any_case(self, agora):
        make_user(environment=agora.environment, user_id="MiA")

        for name in ("mia", "MIA", "MiA"):
            assert self.names(agora, name) == "MiA"

    def test_an_exact_match_then_lower_case_then_the_first_registered(self, agora):
        for user_id in ("ANN", "Ann", "Mia", "mia"):
            make_user(environment=agora.environment, user_id=user_id)

        assert {name: self.names(agora, name) for name in ("Mia", "MIA", "Ann", "ann")} == {
            "Mia": "Mia",
            "MIA": "mia",
            "Ann": "Ann",
            "ann": "ANN",
        }

    def test_only_the_tokens_own_user(self, agora):
        for user_id in ("Mia", "mia"):
            make_user(environment=agora.environment, user_id=user_id)

        for user_id, other in (("Mia", "mia"), ("mia", "Mia"), ("Mia", "MIA")):
            token = agora.user_token(user_id)
            assert agora("GET", f"users/{user_id}", token=token)[0] == 200
            assert agora("GET", f"users/{other}", token=token)[0] == 401
