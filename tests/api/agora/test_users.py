"""Agora Chat's calls about users: every key of the envelopes, and the refusals."""

import base64
from uuid import UUID

import pytest

from applications import environments
from moderation.models import Ban
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_token,
    make_user,
    make_users,
    staff_actor,
)
from users import passwords
from users.models import AppUser

MS = int(NOON.timestamp() * 1000)
BOTH = {"action", "timestamp", "duration"}
APPLICATION = {"application", "organization", "applicationName"}
PLACE = {"path", "uri"}


def error_of(response):
    status, body = response
    return status, body["error"], body["error_description"]


class TestRegister:
    def test_returns_the_user(self, agora):
        status, body = agora("POST", "users", {"username": "Ann", "password": "123"})
        org = agora.environment.application.org_name

        assert status == 200
        ann = AppUser.objects.get(user_id="ann")
        assert body == {
            "action": "post",
            "application": str(UUID(agora.app_id)),
            "path": "/users",
            "uri": f"http://testserver/{org}/development/users",
            "entities": [
                {
                    "uuid": str(ann.uuid),
                    "type": "user",
                    "created": MS,
                    "modified": MS,
                    "username": "ann",
                    "activated": True,
                }
            ],
            "timestamp": MS,
            "duration": 0,
            "organization": org,
            "applicationName": "development",
        }
        assert passwords.is_correct(ann, "123")

    def test_keeps_a_nickname_and_ignores_other_members(self, agora):
        body = {"username": "ann", "password": "1", "nickname": "Ännchen", "timestamp": 1}

        assert agora("POST", "users", body)[1]["entities"][0]["nickname"] == "Ännchen"
        agora("POST", "users", {"username": "bob", "password": "1", "nickname": ""})
        assert AppUser.objects.get(user_id="bob").name == ""

    @pytest.mark.parametrize(
        ("body", "error", "text"),
        [
            (b'{"username": "a",}', "json_parse", "Unexpected character"),
            (b"\xff", "json_parse", "Unexpected character"),
            (b"[" * 100_000, "json_parse", "Unexpected character"),
            (b"", "illegal_argument", "this is an invalid request."),
            ([], "illegal_argument", "this is an invalid request."),
            ({}, "illegal_argument", "Entity user requires a property named username"),
            ([1], "illegal_argument", "Entity user requires a property named username"),
            ({"username": ""}, "illegal_argument", "username [] is not legal"),
            ({"username": "a b"}, "illegal_argument", "username [a b] is not legal"),
            ({"username": ".."}, "illegal_argument", "username [..] is not legal"),
            ({"username": "{0}"}, "illegal_argument", "username [{0}] is not legal"),
            ({"username": "a" * 65}, "illegal_argument", "USERNAME_TOO_LONG"),
            ({"username": "a"}, "illegal_argument", "password or pin must provided"),
            (
                {"username": "a", "password": ""},
                "illegal_argument",
                "password or pin must provided",
            ),
            ({"username": "a", "password": "é" * 33}, "illegal_argument", "PASSWORD_TOO_LONG"),
            ({"username": "a", "password": "a\x00"}, "illegal_argument", "PASSWORD_TOO_LONG"),
            ({"username": "a", "password": 1}, "illegal_argument", "this is an invalid request."),
            (
                {"username": "a", "password": "1", "nickname": "n" * 101},
                "illegal_argument",
                "NICKNAME_TOO_LONG",
            ),
            (
                [{"username": f"a{number}", "password": "1"} for number in range(61)],
                "illegal_argument",
                "Request body array size[61] had almost reached or been greater than the upper "
                "range value[60]",
            ),
            (
                [{"username": "a", "password": "1"}, {"username": "b c", "password": "1"}],
                "illegal_argument",
                "username [b c] is not legal",
            ),
            (
                [{"username": "a", "password": "one"}, {"username": "A", "password": "two"}],
                "duplicate_unique_property_exists",
                "the same user a has a different password",
            ),
        ],
    )
    def test_refuses_what_is_wrong_and_registers_nobody(self, agora, body, error, text):
        status, found, description = error_of(agora("POST", "users", body))

        assert (status, found) == (400, error)
        assert description.startswith(text)
        assert not AppUser.objects.exists()

    def test_needs_no_password_if_the_environment_requires_none(self, agora):
        agora.environment.vendor_settings = {"agora": {"require_password": False}}
        agora.environment.save()

        assert agora("POST", "users", {"username": "ann"})[0] == 200
        assert agora("POST", "users", {"username": "bob", "password": ""})[0] == 400

    def test_twice_is_refused(self, agora):
        make_user(environment=agora.environment, user_id="ann")

        assert error_of(agora("POST", "users", {"username": "ANN", "password": "1"})) == (
            400,
            "duplicate_unique_property_exists",
            f"Application {UUID(agora.app_id)} Entity user requires that property named username "
            "be unique, value of ann exists",
        )

    def test_of_a_deactivated_id_is_refused(self, agora):
        make_deactivated(environment=agora.environment, user_id="ann")

        assert error_of(agora("POST", "users", {"username": "ann", "password": "1"}))[:2] == (
            403,
            "forbidden_service_operation",
        )

    def test_beyond_the_quota_is_refused_with_the_vendors_text_and_ours(self, agora):
        make_users(environment=agora.environment, count=100)
        status, error, text = error_of(agora("POST", "users", {"username": "a", "password": "1"}))

        assert (status, error) == (429, "resource_limited")
        assert text.startswith("You have exceeded the limit of the trial edition.")
        assert "100 of 100 users are registered" in text

    def test_needs_no_token_while_registration_is_open(self, agora):
        mode = {"allow_open_registration": True}
        assert agora("PUT", "", mode)[0] == 200
        assert agora("POST", "users", {"username": "ann", "password": "1"}, token="")[0] == 200
        assert agora("POST", "users", [{"username": "b", "password": "1"}], token="")[0] == 200
        assert agora("GET", "users", token="")[0] == 401

        assert agora("PUT", "", {"allow_open_registration": False})[0] == 200
        assert agora("POST", "users", {"username": "cy", "password": "1"}, token="")[0] == 401


class TestRegisterSeveral:
    def test_creates_the_new_and_reports_the_others(self, agora):
        make_user(environment=agora.environment, user_id="user3")
        make_deactivated(environment=agora.environment, user_id="user4")
        wanted = [{"username": f"user{n}", "password": "1"} for n in (2, 3, 1, 4, 2)]

        status, body = agora("POST", "users", wanted)

        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, *PLACE, "entities", "data"}
        assert [entity["username"] for entity in body["entities"]] == ["user2", "user1"]
        assert body["data"] == [
            {"username": "user3", "registerUserFailReason": "the user3 already exists"},
            {"username": "user4", "registerUserFailReason": "the user4 is disabled"},
        ]

    def test_of_one_returns_a_batchs_response(self, agora):
        assert agora("POST", "users", [{"username": "a", "password": "1"}])[1]["data"] == []

    def test_is_refused_when_nobody_is_new(self, agora):
        wanted = [{"username": f"user{n}", "password": "1"} for n in range(60)]
        assert len(agora("POST", "users", wanted)[1]["entities"]) == 60

        assert error_of(agora("POST", "users", wanted))[:2] == (
            400,
            "duplicate_unique_property_exists",
        )

    def test_beyond_the_quota_registers_nobody(self, agora):
        make_users(environment=agora.environment, count=99)
        wanted = [{"username": name, "password": "1"} for name in ("a", "b")]

        assert agora("POST", "users", wanted)[0] == 429
        assert AppUser.objects.count() == 99


class TestGet:
    def test_has_the_keys_of_the_manual(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann", name="Ann")
        for name in ("ann", "ANN", str(ann.uuid)):
            status, body = agora("GET", f"users/{name}")

            assert status == 200
            assert set(body) == {*BOTH, *PLACE, "entities", "count"}
            assert body["uri"].endswith(f"/users/{name}")
            assert (body["action"], body["count"]) == ("get", 1)
            assert body["entities"][0]["nickname"] == "Ann"

    def test_finds_an_id_from_another_door(self, agora):
        make_user(environment=agora.environment, user_id="Ann+1=x")

        for name in ("Ann%2B1=x", "ann%2B1=X"):
            assert agora("GET", f"users/{name}")[1]["entities"][0]["username"] == "Ann+1=x"

    @pytest.mark.parametrize("name", ["bob", "a%00b", "%F0%9F%90%8D", "a" * 500])
    def test_of_an_unknown_user_is_404(self, agora, name):
        assert agora("GET", f"users/{name}", token=agora.token)[1]["exception"] == (
            "UserNotFoundException"
        )
        assert error_of(agora("GET", f"users/{name}")) == (
            404,
            "service_resource_not_found",
            "Service resource not found",
        )

    def test_shows_a_ban_of_any_kind_while_it_is_in_force(self, agora):
        make_user(environment=agora.environment, user_id="ann")
        make_ban(environment=agora.environment, user_id="ann", expires_at=NOON + HOUR)
        [entity] = agora("GET", "users/ann")[1]["entities"]

        assert entity["activated"] is False
        assert entity["modified"] == MS - 3_600_000


class TestList:
    def test_pages_from_the_first_registered_to_the_last(self, agora):
        make_users(environment=agora.environment, count=5)
        seen, cursor, pages = [], "", 0
        while True:
            status, body = agora("GET", f"users?limit=2&cursor={cursor}")
            assert status == 200
            seen += [entity["username"] for entity in body["entities"]]
            pages += 1
            assert body["count"] == len(body["entities"])
            if "cursor" not in body:
                break
            cursor = body["cursor"]
            assert cursor

        assert (seen, pages) == ([f"user-{n:05}" for n in range(1, 6)], 3)

    def test_has_the_keys_of_the_manual(self, agora):
        make_users(environment=agora.environment, count=3)
        body = agora("GET", "users?limit=2")[1]

        assert set(body) == {*BOTH, *PLACE, "params", "entities", "count", "cursor"}
        assert body["params"] == {"limit": ["2"]}
        assert body["uri"].endswith("/users")
        assert "params" not in agora("GET", "users")[1]

    def test_of_a_full_last_page_has_no_cursor(self, agora):
        make_users(environment=agora.environment, count=2)

        assert "cursor" not in agora("GET", "users?limit=2")[1]

    @pytest.mark.parametrize(
        ("limit", "size"),
        [
            ("", 10),
            ("0", 10),
            ("-1", 10),
            ("\u0665", 10),
            ("x", 10),
            ("1" * 50, 10),
            ("9", 9),
            ("101", 12),
        ],
    )
    def test_replaces_an_invalid_limit(self, agora, limit, size):
        make_users(environment=agora.environment, count=12)

        assert len(agora("GET", f"users?limit={limit}")[1]["entities"]) == size

    def test_refuses_another_environments_cursor_and_encrypts_its_own(self, agora, live):
        for each in (agora, live):
            make_users(environment=each.environment, count=3)
        cursor = live("GET", "users?limit=1")[1]["cursor"]

        assert live("GET", f"users?limit=1&cursor={cursor}")[0] == 200
        for method in ("GET", "DELETE"):
            assert error_of(agora(method, f"users?cursor={cursor}"))[:2] == (
                400,
                "illegal_argument",
            )
        first = AppUser.objects.filter(environment=live.environment).earliest("pk")
        readable = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert str(first.pk).encode() not in readable
        assert b"2026" not in readable

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    @pytest.mark.parametrize(
        "cursor", ["x", "\u0661", "LTgzNDAxMjM3OToxTEFnNE9sNEVlaVQ0UEdhdmJNR2tB"]
    )
    def test_refuses_foreign_cursors(self, agora, method, cursor):
        make_users(environment=agora.environment, count=2)

        assert error_of(agora(method, f"users?cursor={cursor}"))[:2] == (400, "illegal_argument")
        assert AppUser.objects.count() == 2


class TestDelete:
    def test_returns_the_deleted_user(self, agora):
        make_user(environment=agora.environment, user_id="ann")
        make_ban(environment=agora.environment, user_id="ann")
        status, body = agora("DELETE", "users/ANN")

        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, *PLACE, "entities"}
        assert body["action"] == "delete"
        assert body["uri"].endswith("/development/users")
        assert [entity["username"] for entity in body["entities"]] == ["ann"]
        assert body["entities"][0]["activated"] is True
        assert not AppUser.objects.exists()
        assert not Ban.objects.exists()

    def test_of_an_unknown_user_is_404(self, agora):
        assert error_of(agora("DELETE", "users/bob"))[:2] == (404, "service_resource_not_found")

    def test_of_several_takes_the_first_registered(self, agora):
        make_users(environment=agora.environment, count=5)
        status, body = agora("DELETE", "users?limit=2")

        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, *PLACE, "params", "entities", "cursor"}
        gone = [entity["username"] for entity in body["entities"]]
        assert gone == ["user-00001", "user-00002"]
        body = agora("DELETE", f"users?limit=3&cursor={body['cursor']}")[1]
        assert len(body["entities"]) == 3
        assert "cursor" not in body
        assert agora("DELETE", "users")[1]["entities"] == []

    @pytest.mark.parametrize("limit", ["", "0", "-1", "x", "1.5", "\u0665", "1" * 50])
    def test_of_several_refuses_an_invalid_number(self, agora, limit):
        make_users(environment=agora.environment, count=3)

        assert error_of(agora("DELETE", f"users?limit={limit}"))[:2] == (400, "illegal_argument")
        assert AppUser.objects.count() == 3

    def test_of_several_deletes_at_most_a_hundred(self, agora):
        make_users(environment=agora.environment, count=101)

        assert len(agora("DELETE", "users?limit=500")[1]["entities"]) == 100


class TestLaw8DeletionInProduction:
    @pytest.mark.parametrize("path", ["users/ann", "users"])
    def test_is_refused_until_an_owner_unlocks_it_for_some_time(self, live, path):
        make_user(environment=live.environment, user_id="ann")
        unlock = {"environment": live.environment, "by": staff_actor()}

        assert error_of(live("DELETE", path))[:2] == (403, "forbidden_op")
        environments.unlock_deletion(lasting=HOUR, now=NOON - 2 * HOUR, **unlock)
        assert error_of(live("DELETE", path))[:2] == (403, "forbidden_op")
        environments.unlock_deletion(lasting=DAY, now=NOON, **unlock)
        assert live("DELETE", path)[0] == 200
        assert not AppUser.objects.exists()


class TestPassword:
    def test_is_changed_and_signs_out_everywhere(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann")
        token = make_token(ann, now=NOON - HOUR)
        connection = make_connection(environment=agora.environment, user_id="ann")

        for method in ("PUT", "POST"):
            body = {"newpassword": method, "oldpassword": "whatever"}
            status, answer = agora(method, "users/ann/password", body)
            assert status == 200
            assert set(answer) == BOTH
            assert answer["action"] == "set user password"

        ann.refresh_from_db()
        connection.refresh_from_db()
        assert passwords.is_correct(ann, "POST")
        assert connection.kicked_at == NOON
        assert agora("GET", "users/ann", token=token)[0] == 401

    def test_is_checked_before_the_user(self, agora):
        required = (400, "illegal_argument", "newpassword is required")

        for body in ({}, {"newpassword": ""}, {"newpassword": None}):
            assert error_of(agora("PUT", "users/bob/password", body)) == required
        assert error_of(agora("PUT", "users/bob/password", {"newpassword": "a" * 65}))[2] == (
            "PASSWORD_TOO_LONG"
        )
        assert error_of(agora("PUT", "users/bob/password", {"newpassword": "a"})) == (
            404,
            "entity_not_found",
            "User null not found",
        )

    def test_is_changed_by_the_user_who_knows_the_old_one(self, agora):
        agora("POST", "users", {"username": "ann", "password": "old"})
        token = make_token(AppUser.objects.select_related("environment").get(), now=NOON)

        for old, text in (({}, "oldpassword"), ({"oldpassword": "guess"}, "invalid password")):
            body = {"newpassword": "new", **old}
            status, error, description = error_of(
                agora("PUT", "users/ann/password", body, token=token)
            )
            assert (status, error) == (400, "invalid_grant")
            assert description.startswith(text)
        body = {"newpassword": "new", "oldpassword": "old"}
        assert agora("PUT", "users/ann/password", body, token=token)[0] == 200
