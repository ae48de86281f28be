"""Agora Chat's calls about presence, with the user's own token, as web clients do."""

from datetime import timedelta

import pytest
import time_machine

from applications import callers
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_connection,
    make_gateway,
    make_token,
    make_user,
)
from users import statuses
from users.models import StatusSubscription

S = int(NOON.timestamp())
DAY_SECONDS = 86_400


@pytest.fixture(autouse=True)
def users(agora):
    return {
        user_id: make_user(environment=agora.environment, user_id=user_id, last_seen_at=NOON - HOUR)
        for user_id in ("ann", "bob", "cy")
    }


@pytest.fixture
def ask(agora, users):
    def ask(user_id, method, path, body=None):
        return agora(
            method, f"users/{user_id}/presence{path}", body, token=make_token(users[user_id])
        )

    return ask


class TestStatus:
    def test_is_shown_for_the_devices_that_are_online(self, agora, ask):
        gateway = make_gateway()
        for device in ("17", "18"):
            make_connection(
                environment=agora.environment,
                user_id="bob",
                gateway=gateway,
                device=device,
                platform="web",
            )
        ask("bob", "POST", "/web_17/busy", {"ext": "in a meeting"})
        ask("bob", "POST", "/gone/1", {"ext": "at lunch"})

        status, body = ask("ann", "POST", "", {"usernames": ["Bob", "cy", "nobody"]})

        assert status == 200
        assert body == {
            "result": [
                {
                    "uid": "bob",
                    "last_time": str(S),
                    "expiry": "0",
                    "ext": "at lunch",
                    "status": {"web_17": "busy", "web_18": "1"},
                },
                {"uid": "cy", "last_time": str(S - 3600), "expiry": "0", "ext": "", "status": {}},
                {"uid": "nobody", "last_time": "0", "expiry": "0", "ext": "", "status": {}},
            ]
        }

    def test_is_published_only_by_the_user(self, agora, ask, users):
        assert ask("bob", "POST", "/web_17/1", {"ext": ""}) == (200, {"result": "ok"})
        token = make_token(users["ann"])
        assert agora("POST", "users/bob/presence/web/1", {"ext": ""}, token=token)[0] == 401

    @pytest.mark.parametrize(
        ("path", "ext"),
        [("/web/1", "ä" * 513), ("/web/1", "a\x00"), ("/web/" + "s" * 65, ""), ("/web/1", 1)],
    )
    def test_has_bounds(self, ask, path, ext):
        assert ask("bob", "POST", path, {"ext": ext})[0] == 400

    def test_takes_the_same_number_of_queries_for_any_number_of_users(
        self, ask, django_assert_num_queries
    ):
        for names in (["bob"], ["bob", "cy", "ann", "nobody"]):
            callers.clear()
            # Three for authentication; the user; then users, connections, statuses, subscriptions.
            with django_assert_num_queries(8):
                ask("ann", "POST", "", {"usernames": names})


class TestSubscriptions:
    def test_last_for_the_requested_time_and_are_listed(self, agora, ask):
        status, body = ask("ann", "POST", f"/{DAY_SECONDS}", {"usernames": ["bob", "cy"]})
        assert status == 200
        assert [line["uid"] for line in body["result"]] == ["bob", "cy"]
        assert {line["expiry"] for line in body["result"]} == {str(S + DAY_SECONDS)}
        ask("ann", "POST", "/60", {"usernames": ["cy"]})

        assert ask("ann", "GET", "/sublist?pageNum=1&pageSize=1")[1] == {
            "result": {
                "totalnum": "2",
                "sublist": [{"uid": "bob", "expiry": str(S + DAY_SECONDS)}],
            }
        }
        second = ask("ann", "GET", "/sublist?pageNum=2&pageSize=1")[1]["result"]["sublist"]
        assert second == [{"uid": "cy", "expiry": str(S + 60)}]
        with time_machine.travel(NOON + MINUTE, tick=False):
            assert ask("ann", "GET", "/sublist")[1]["result"]["totalnum"] == "1"
        assert ask("bob", "GET", "/sublist")[1]["result"]["sublist"] == []

    def test_end_on_request(self, ask):
        ask("ann", "POST", "/60", {"usernames": ["bob", "cy"]})

        for _ in range(2):
            assert ask("ann", "DELETE", "", ["bob", "nobody"]) == (200, {"result": "ok"})
        assert list(StatusSubscription.objects.values_list("about_id", flat=True)) == ["cy"]

    @pytest.mark.parametrize(
        ("seconds", "names", "status"),
        [
            *(("0", ["bob"], 400), ("2592001", ["bob"], 400), ("x", ["bob"], 400)),
            *(("60", [], 400), ("60", ["bob"] * 101, 400), ("60", ["nobody"], 404)),
        ],
    )
    def test_have_bounds(self, ask, seconds, names, status):
        assert ask("ann", "POST", f"/{seconds}", {"usernames": names})[0] == status
        assert not StatusSubscription.objects.exists()

    def test_have_a_maximum_number(self, agora, ask, monkeypatch):
        monkeypatch.setattr(statuses, "MAX_SUBSCRIPTIONS", 1)
        ask("ann", "POST", "/60", {"usernames": ["bob"]})

        assert ask("ann", "POST", "/60", {"usernames": ["bob"]})[0] == 200
        status, body = ask("ann", "POST", "/60", {"usernames": ["cy"]})
        assert (status, body["error"]) == (403, "exceed_limit")
        with time_machine.travel(NOON + timedelta(seconds=60), tick=False):
            assert ask("ann", "POST", "/60", {"usernames": ["cy"]})[0] == 200
