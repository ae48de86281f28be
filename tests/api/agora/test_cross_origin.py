"""Calls to Agora Chat's door from web pages of other origins, and with HEAD."""

import pytest
from django.test import Client

from applications import environments
from tests.factories import NOON, make_user, staff_actor
from users import profiles

ORIGIN = {"Origin": "https://app.example.com"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


class TestPreflight:
    @pytest.mark.parametrize(
        "path",
        [
            *(
                "users",
                "token",
                "users/ann/contacts/users",
                "sdk/user/ann/blocks",
                "nothing/at/all",
            ),
            *("/nobody/development/users", "/nobody/nothing/users", "/app-id/unknown/users"),
        ],
    )
    def test_is_answered_before_any_check(self, agora, path, django_assert_num_queries):
        path = path if path.startswith("/") else f"{agora.base}/{path}"
        with django_assert_num_queries(0):
            response = agora.client.options(path, headers=PREFLIGHT)

        assert (response.status_code, response.content) == (204, b"")
        assert response["Access-Control-Allow-Origin"] == "*"
        methods = set(response["Access-Control-Allow-Methods"].split(", "))
        assert methods >= {"GET", "POST", "PUT", "DELETE"}
        allowed = response["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "content-type"} <= set(allowed)

    def test_passes_at_a_closed_door_and_over_the_rate_limit(self, agora):
        agora.environment.vendor_settings = {"agora": {"rate_limits": {"GET users": 1}}}
        agora.environment.save()
        environments.enable_vendors(
            application=agora.environment.application, names=[], by=staff_actor(), now=NOON
        )
        for _ in range(3):
            response = agora.client.options(f"{agora.base}/users", headers=PREFLIGHT)
            assert response.status_code == 204

    def test_of_a_vendor_without_web_calls_is_a_wrong_method(self, rongcloud):
        response = rongcloud.client.options("/user/getToken.json", headers=PREFLIGHT)

        assert response.status_code == 405
        assert "Access-Control-Allow-Origin" not in response


class TestResponses:
    def test_may_be_read_by_any_page_refusals_included(self, agora, settings, monkeypatch):
        agora.environment.vendor_settings = {"agora": {"rate_limits": {"GET mutes": 1}}}
        agora.environment.save()
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
        make_user(environment=agora.environment, user_id="ann")
        monkeypatch.setattr(profiles, "update", lambda **_: 1 / 0)
        large = b" " * 1_001
        seen = set()
        for method, path, body, options in (
            *(("GET", "users", None, {}), ("POST", "users", {}, {}), ("GET", "mutes", None, {})),
            ("GET", "users", None, {"token": ""}),
            ("DELETE", "users/nobody", None, {}),
            *(("PATCH", "users", None, {}), ("POST", "users", large, {})),
            ("POST", "users", {}, {"content_type": "text/xml"}),
            *(("GET", "mutes", None, {}), ("PUT", "users/ann", {"nickname": "Ann"}, {})),
        ):
            status, _ = agora(method, path, body, **options)
            seen.add(status)
            assert agora.response["Access-Control-Allow-Origin"] == "*"
            assert "Retry-After" in agora.response["Access-Control-Expose-Headers"]
            assert "Access-Control-Allow-Credentials" not in agora.response

        assert seen == {200, 400, 401, 404, 405, 413, 415, 429, 500}


class TestWhatIsNotOffered:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "chatgroups?resource=web_1"),
            ("GET", "users/ann/joined_chatgroups"),
            ("POST", "users/ann/messageroaming"),
            ("GET", "sdk/user/ann/user_channels/list"),
            ("PUT", "users/ann/notification/user/ann"),
        ],
    )
    def test_is_said_with_the_words_that_web_sdks_compare(self, agora, method, path):
        status, body = agora(method, path, {})
        assert (status, body["error_description"]) == (403, "service not open!")

    def test_is_not_said_of_other_unknown_paths(self, agora):
        assert agora("POST", "users/ann/nothing", {})[0] == 404


class TestHead:
    @pytest.mark.parametrize(
        ("path", "status"),
        [("users", 200), ("users/ann", 200), ("users/nobody", 404), ("token", 405)],
    )
    def test_is_answered_like_get_without_the_body(self, agora, path, status):
        make_user(environment=agora.environment, user_id="ann")
        headers = {"Authorization": f"Bearer {agora.token}"}
        client = Client()
        got = client.get(f"{agora.base}/{path}", headers=headers)
        response = client.head(f"{agora.base}/{path}", headers=headers)

        assert (got.status_code, response.status_code) == (status, status)
        assert response.content == b""
        assert response["Content-Length"] == got["Content-Length"] == str(len(got.content))
