"""Agora Chat's call about push notices: nickname, settings and devices."""

import pytest

from tests.factories import NOON, make_user

MS = int(NOON.timestamp() * 1000)
BOTH = {"action", "timestamp", "duration"}
APPLICATION = {"application", "organization", "applicationName"}
PLACE = {"path", "uri"}


def error_of(response):
    status, body = response
    return status, body["error"], body["error_description"]


@pytest.fixture
def ann(agora):
    return make_user(environment=agora.environment, user_id="ann")


@pytest.fixture
def put(agora, ann):
    """Changes push settings; returns the user of the response."""

    def put(**members):
        status, body = agora("PUT", "users/ann", members)
        assert status == 200
        return body["entities"][0]

    return put


class TestPushSettings:
    def test_are_merged_and_shown_with_the_user(self, agora):
        make_user(environment=agora.environment, user_id="ann", name="Ann")
        first = {"notification_no_disturbing": True, "notification_no_disturbing_start": "22"}
        second = {"nickname": "Änn", "notification_no_disturbing_start": "", "other": [1]}
        agora("PUT", "users/ann", {**first, "notification_ignore_g1": True})
        status, body = agora("PUT", "users/ann", second)

        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, *PLACE, "entities"}
        assert body["path"] == "/users"
        assert body["uri"] == f"http://testserver{agora.base}/users"
        [entity] = body["entities"]
        assert entity["modified"] == MS
        assert entity["nickname"] == "Änn"
        assert entity["notification_no_disturbing"] is True
        assert entity["notification_ignore_g1"] is True
        assert "notification_no_disturbing_start" not in entity
        assert "other" not in entity

    @pytest.mark.parametrize(
        "body",
        [
            *([], {"notification_display_style": 2}, {"notification_display_style": True}),
            *({"notification_no_disturbing": "yes"}, {"notification_no_disturbing_end": 24}),
            *({"device_token": 1}, {"nickname": 1}, {"nickname": "n" * 101}),
            {"nickname": "a\x00"},
            {f"notification_ignore_{number:060}": True for number in range(80)},
        ],
    )
    def test_have_types_and_bounds(self, agora, body):
        make_user(environment=agora.environment, user_id="ann")

        assert error_of(agora("PUT", "users/ann", body))[:2] == (400, "illegal_argument")

    def test_are_stored_as_numbers(self, agora, put):
        entity = put(
            notification_display_style="1",
            notification_no_disturbing_start="22",
            notification_no_disturbing_end=7,
        )

        assert entity["notification_display_style"] == 1
        assert entity["notification_no_disturbing_start"] == 22
        assert entity["notification_no_disturbing_end"] == 7
        assert agora("GET", "users/ann")[1]["entities"] == [entity]


class TestPushDevices:
    def test_are_shown_with_the_user_the_newest_first(self, agora, put):
        put(device_id="phone", device_token="t1", notifier_name="n1")
        put(device_id="tablet", device_token="t2", notifier_name="n2")
        entity = put(device_id="phone", device_token="t3", notifier_name="n1")

        assert entity["pushInfo"] == [
            {"device_Id": "phone", "device_token": "t3", "notifier_name": "n1"},
            {"device_Id": "tablet", "device_token": "t2", "notifier_name": "n2"},
        ]
        assert agora("GET", "users/ann")[1]["entities"] == [entity]

    def test_are_removed_by_an_empty_token(self, put):
        put(device_id="phone", device_token="t1", notifier_name="n1")
        put(device_token="t2", notifier_name="n2")
        entity = put(device_id="phone", device_token="")

        assert entity["pushInfo"] == [
            {"device_Id": "", "device_token": "t2", "notifier_name": "n2"}
        ]
        assert "pushInfo" not in put(device_token="")

    def test_stay_when_something_else_changes(self, put):
        put(device_id="phone", device_token="t1")

        assert len(put(nickname="Ann", notification_no_disturbing=True)["pushInfo"]) == 1

    def test_are_at_most_ten(self, put):
        for number in range(11):
            entity = put(device_id=f"d{number}", device_token="t" * 512)

        ids = [device["device_Id"] for device in entity["pushInfo"]]
        assert ids == [f"d{number}" for number in range(10, 0, -1)]
