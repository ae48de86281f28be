"""Agora Chat's calls about online status, devices and waiting messages."""

import pytest

from tests.factories import NOON, make_connection, make_gateway, make_message, make_user
from users.models import Message

BOTH = {"action", "timestamp", "duration"}
APPLICATION = {"application", "organization", "applicationName"}


@pytest.fixture(autouse=True)
def users(agora):
    return [make_user(environment=agora.environment, user_id=user_id) for user_id in ("ann", "bob")]


class TestOnline:
    def test_of_one_user_is_under_the_requested_name(self, agora, users):
        make_connection(environment=agora.environment, user_id="ann")
        status, body = agora("GET", "users/ANN/status")

        assert status == 200
        assert set(body) == {*BOTH, "uri", "entities", "data", "count"}
        assert (body["data"], body["entities"], body["count"]) == ({"ANN": "online"}, [], 0)
        assert agora("GET", f"users/{users[1].uuid}/status")[1]["data"] == {
            str(users[1].uuid): "offline"
        }
        assert agora("GET", "users/nobody/status")[0] == 404

    def test_of_several_is_in_the_order_of_the_request(self, agora, django_assert_num_queries):
        make_connection(environment=agora.environment, user_id="bob")
        names = ["nobody", "Bob", "ann", "\x00", "bob"]
        with django_assert_num_queries(4):
            status, body = agora("POST", "users/batch/status", {"usernames": names})

        assert status == 200
        assert set(body) == {*BOTH, "data"}
        assert body["action"] == "get batch user status"
        assert body["data"] == [
            *({"nobody": "offline"}, {"Bob": "online"}, {"ann": "offline"}),
            *({"\x00": "offline"}, {"bob": "online"}),
        ]

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, "usernames is empty"),
            ({"usernames": []}, "usernames is empty"),
            ({"usernames": "ann"}, "this is an invalid request."),
            (
                {"usernames": ["a"] * 101},
                "request body exceeds maximum limit, maximum limit is 100",
            ),
        ],
    )
    def test_of_several_has_bounds(self, agora, body, text):
        status, answer = agora("POST", "users/batch/status", body)

        assert (status, answer["error_description"]) == (400, text)


class TestDisconnect:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_closes_all_and_succeeds_without_any(self, agora, method):
        connection = make_connection(environment=agora.environment, user_id="ann")
        for _ in range(2):
            status, body = agora(method, "users/ann/disconnect")
            assert status == 200
            assert set(body) == {*BOTH, *APPLICATION, "uri", "entities", "data"}
            assert (body["action"], body["data"]) == ("get", {"result": True})

        connection.refresh_from_db()
        assert connection.kicked_at == NOON
        assert agora(method, "users/nobody/disconnect")[0] == 404

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_of_one_device_leaves_the_others(self, agora, method):
        gateway = make_gateway()
        phone, laptop = (
            make_connection(
                environment=agora.environment,
                user_id="ann",
                gateway=gateway,
                device=device,
                platform=platform,
            )
            for device, platform in (("17", "android"), ("", "web"))
        )
        status, body = agora("GET", "users/ann/resources")
        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, "path", "uri", "entities", "data"}
        assert body["data"] == [
            {"res": "android_17", "device_uuid": "17", "device_name": "android"},
            {"res": f"web_{laptop.pk}", "device_uuid": "", "device_name": "web"},
        ]

        status, body = agora(method, "users/ann/disconnect/android_17")
        assert (status, body["action"], body["data"]) == (200, "delete", {"result": True})
        phone.refresh_from_db()
        laptop.refresh_from_db()
        assert (phone.kicked_at, laptop.kicked_at) == (NOON, None)
        assert agora(method, "users/ann/disconnect/other")[0] == 200
        assert agora(method, "users/nobody/disconnect/other")[0] == 404


class TestWaitingMessages:
    def test_are_counted_and_found_by_id(self, agora):
        sent = make_message(environment=agora.environment, sender_id="bob", recipient_id="ann")
        status, body = agora("GET", "users/Ann/offline_msg_count")
        assert status == 200
        assert set(body) == {*BOTH, "uri", "entities", "data", "count"}
        assert (body["data"], body["count"]) == ({"Ann": 1}, 0)

        key = str(sent.pk)
        status, body = agora("GET", f"users/ann/offline_msg_status/{key}")
        assert (status, body["data"], body["count"]) == (200, {key: "undelivered"}, 0)
        Message.objects.update(delivered_at=NOON)
        assert agora("GET", "users/ann/offline_msg_count")[1]["data"] == {"ann": 0}

    @pytest.mark.parametrize("key", ["123", "9" * 30, "abc", "\u0661"])
    def test_that_are_unknown_count_as_delivered(self, agora, key):
        assert agora("GET", f"users/ann/offline_msg_status/{key}")[1]["data"] == {key: "delivered"}

    def test_of_an_unknown_user_are_404(self, agora):
        assert agora("GET", "users/nobody/offline_msg_count")[0] == 404
        assert agora("GET", "users/nobody/offline_msg_status/1")[0] == 404
