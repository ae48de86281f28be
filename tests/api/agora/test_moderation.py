"""Agora Chat's calls about bans, blocklists and mutes."""

import pytest
import time_machine

from moderation import ban_sweep, mutes
from moderation.models import Ban, BlocklistEntry, Mute
from tests.factories import (
    HOUR,
    NOON,
    api_actor,
    make_ban,
    make_connection,
    make_token,
    make_user,
)
from users.models import AppUser

BOTH = {"action", "timestamp", "duration"}
APPLICATION = {"application", "organization", "applicationName"}


def error_of(response):
    status, body = response
    return status, body["error"]


@pytest.fixture(autouse=True)
def users(agora):
    return [
        make_user(environment=agora.environment, user_id=user_id)
        for user_id in ("ann", "bob", "cy")
    ]


class TestBan:
    def test_is_permanent_and_closes_connections(self, agora):
        connection = make_connection(environment=agora.environment, user_id="ann")
        status, body = agora("POST", "users/Ann/deactivate")

        assert status == 200
        assert set(body) == {*BOTH, "entities"}
        assert body["action"] == "Deactivate user"
        assert body["entities"][0]["activated"] is False
        assert body["entities"][0]["modified"] == int(NOON.timestamp() * 1000)
        ban = Ban.objects.get()
        assert (ban.user_id, ban.expires_at, ban.imposed_via) == (
            *("ann", None, "agora POST users/<username>/deactivate"),
        )
        connection.refresh_from_db()
        assert connection.kick_reason == "banned"

    def test_may_be_repeated_and_lifted_twice(self, agora):
        for _ in range(2):
            assert agora("POST", "users/ann/deactivate")[0] == 200
        for _ in range(2):
            status, body = agora("POST", "users/ann/activate")
            assert (status, set(body), body["action"]) == (200, BOTH, "activate user")
        assert not Ban.objects.in_force(NOON).exists()

    def test_and_its_end_update_modified_and_never_decrease_it(self, agora):
        def modified_at(moment, path, method="GET"):
            with time_machine.travel(moment, tick=False):
                agora.token = agora.app_token(issued=int(moment.timestamp()))
                agora(method, path)
                return agora("GET", "users/ann")[1]["entities"][0]["modified"]

        moments = [NOON + n * HOUR for n in range(4)]
        verbs = ["deactivate", "activate", "deactivate", "activate"]
        for moment, verb in zip(moments, verbs, strict=True):
            expected = int(moment.timestamp() * 1000)
            assert modified_at(moment, f"users/ann/{verb}", "POST") == expected
        assert modified_at(NOON + 9 * HOUR, "users/ann") == expected

    def test_that_expired_updates_modified_to_its_end(self, agora):
        make_ban(environment=agora.environment, user_id="ann", expires_at=NOON + HOUR)
        later = NOON + 2 * HOUR
        for _ in range(2):
            with time_machine.travel(later, tick=False):
                agora.token = agora.app_token(issued=int(later.timestamp()))
                [entity] = agora("GET", "users/ann")[1]["entities"]
            assert entity["activated"] is True
            assert entity["modified"] == int((NOON + HOUR).timestamp() * 1000)
            ban_sweep.expire_due(now=later + HOUR)

    @pytest.mark.parametrize("verb", ["activate", "deactivate"])
    def test_law_24_of_an_unknown_user_is_404_at_this_door(self, agora, verb):
        assert error_of(agora("POST", f"users/nobody/{verb}")) == (
            404,
            "service_resource_not_found",
        )
        assert not Ban.objects.exists()


class TestBlocklist:
    def test_is_changed_and_read(self, agora, users):
        status, body = agora("POST", "users/ann/blocks/users", {"usernames": ["Bob", "cy"]})
        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, "uri", "entities", "data"}
        assert body["uri"] == f"http://testserver{agora.base}"
        assert body["data"] == ["bob", "cy"]

        body = agora("GET", "users/ann/blocks/users")[1]
        assert set(body) == {*BOTH, "uri", "entities", "data", "count"}
        assert (body["data"], body["count"], body["entities"]) == (["cy", "bob"], 2, [])

        status, body = agora("DELETE", "users/ann/blocks/users/bob")
        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, "path", "uri", "entities"}
        assert body["path"] == f"/users/{users[0].uuid}/blocks"
        assert body["entities"][0]["username"] == "bob"
        assert agora("GET", "users/ann/blocks/users")[1]["data"] == ["cy"]

    def test_is_read_in_pages(self, agora):
        agora("POST", "users/ann/blocks/users", {"usernames": ["bob", "cy"]})
        first = agora("GET", "users/ann/blocks/users?pageSize=1")[1]
        second = agora("GET", f"users/ann/blocks/users?pageSize=1&cursor={first['cursor']}")[1]

        assert (first["data"], second["data"]) == (["cy"], ["bob"])
        assert "cursor" not in second

    def test_may_be_changed_by_its_owner(self, agora, users):
        token = make_token(users[0])

        assert agora("POST", "users/ann/blocks/users", {"usernames": ["bob"]}, token=token)[0] == (
            200
        )
        assert agora("GET", "users/bob/blocks/users", token=token)[0] == 401

    @pytest.mark.parametrize(
        ("names", "refusal"),
        [
            (["bob", "nobody"], (404, "service_resource_not_found")),
            ([], (400, "illegal_argument")),
            (["bob"] * 51, (400, "illegal_argument")),
            ([1], (400, "illegal_argument")),
        ],
    )
    def test_refuses_whole_calls(self, agora, names, refusal):
        assert error_of(agora("POST", "users/ann/blocks/users", {"usernames": names})) == refusal
        assert not BlocklistEntry.objects.exists()

    def test_ignores_its_owner(self, agora):
        status, body = agora("POST", "users/ann/blocks/users", {"usernames": ["ann", "bob"]})

        assert (status, body["data"]) == (200, ["ann", "bob"])
        assert agora("GET", "users/ann/blocks/users")[1]["data"] == ["bob"]

    def test_is_changed_by_the_web_sdk_on_its_own_paths(self, agora, users):
        token = make_token(users[0])
        path = "sdk/user/ann/blocks?resource=webim_web_1"

        status, body = agora("POST", path, {"usernames": ["bob", "cy"]}, token=token)
        assert (status, body["data"]) == (200, ["bob", "cy"])
        assert agora("DELETE", path, {"usernames": ["cy"]}, token=token)[0] == 200
        assert agora("GET", "users/ann/blocks/users", token=token)[1]["data"] == ["bob"]

        for method in ("POST", "DELETE"):
            strange = path.replace("ann", "bob")
            assert agora(method, strange, {"usernames": ["cy"]}, token=token)[0] == 401
            assert agora(method, path, {"usernames": ["nobody"]}, token=token)[0] == 404

    def test_holds_at_most_500(self, agora):
        AppUser.objects.bulk_create(
            AppUser(environment=agora.environment, user_id=f"u{number}", registered_at=NOON)
            for number in range(501)
        )
        for start in range(0, 500, 50):
            names = [f"u{number}" for number in range(start, start + 50)]
            assert agora("POST", "users/ann/blocks/users", {"usernames": names})[0] == 200

        assert error_of(agora("POST", "users/ann/blocks/users", {"usernames": ["u500"]})) == (
            *(403, "exceed_limit"),
        )
        assert agora("GET", "users/ann/blocks/users")[1]["count"] == 500


class TestMutes:
    def test_are_for_each_kind_of_conversation(self, agora):
        status, body = agora("POST", "mutes", {"username": "Ann", "chat": 100, "chatroom": -1})
        assert status == 200
        everything = {*BOTH, *APPLICATION, "path", "uri", "data"}
        assert set(body) == everything
        assert (body["path"], body["data"]) == ("/mutes", {"result": "ok"})
        for path in ("mutes", "mutes/ann"):
            assert set(agora("GET", path)[1]) == everything

        with time_machine.travel(NOON.replace(second=40, microsecond=500), tick=False):
            data = agora("GET", "mutes/ann")[1]["data"]
        name = f"{agora.environment.application.org_name}#development_ann"
        assert data == {
            "userid": name,
            "chat": 60,
            "groupchat": 0,
            "chatroom": -1,
            "unixtime": int(NOON.timestamp()) + 40,
        }
        agora("POST", "mutes", {"username": "ann", "chat": 0})
        assert agora("GET", "mutes/ann")[1]["data"]["chat"] == 0

    def test_are_listed_by_user_and_kind(self, agora):
        agora("POST", "mutes", {"username": "bob", "groupchat": 60})
        agora("POST", "mutes", {"username": "ann", "chat": 60, "chatroom": 2_147_483_647})
        mutes.impose(
            environment=agora.environment,
            user_ids=["cy"],
            channel=Mute.Channel.DIRECT,
            expires_at=NOON - HOUR / 2,
            by=api_actor(),
            now=NOON - HOUR,
        )
        body = agora("GET", "mutes?pageNum=1&pageSize=2")[1]

        assert body["data"]["data"] == [
            {"username": "ann", "chat": 60},
            {"username": "ann", "chatroom": 2_147_483_647},
        ]
        assert body["data"]["unixtime"] == int(NOON.timestamp())
        rest = agora("GET", "mutes?pageNum=2&pageSize=2")[1]["data"]["data"]
        assert rest == [{"username": "bob", "groupchat": 60}]

    def test_of_an_unknown_user_are_refused(self, agora):
        refusal = (400, "required_property_not_found")

        assert error_of(agora("POST", "mutes", {"username": "nobody", "chat": 1})) == refusal
        assert error_of(agora("POST", "mutes", {"chat": 1})) == refusal
        assert error_of(agora("GET", "mutes/nobody")) == refusal

    @pytest.mark.parametrize("seconds", [-2, 2_147_483_648, "1", True, 1.5])
    def test_have_bounds(self, agora, seconds):
        body = {"username": "ann", "chat": 60, "chatroom": seconds}

        assert error_of(agora("POST", "mutes", body)) == (400, "illegal_argument")
        assert not Mute.objects.exists()

    def test_have_a_last_page(self, agora):
        assert agora("GET", "mutes?pageNum=99999999999999999999")[0] == 400
