"""Rate limits of calls."""

import logging
from datetime import timedelta

import pytest
import time_machine
from redis.connection import AbstractConnection

from api import ratelimit
from applications.vendors import vendors
from tests.api.callers import Nexconn, RongCloud
from tests.factories import NOON

SECOND = timedelta(seconds=1)


def statuses(caller, call, times, **parameters):
    return [caller(call, **parameters)[0] for _ in range(times)]


@pytest.fixture
def slow(environment):
    """An environment whose limits are small enough to reach."""
    environment.vendor_settings = {
        "rongcloud": {"rate_limits": {"user/checkOnline": 3, "user/deactivate": 5}},
        "nexconn": {"rate_limits": {"user/get": 2, "user/soft-delete": 5}},
    }
    environment.save()
    return environment


class TestLimits:
    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            ("rongcloud user/getToken", (200, False)),
            ("rongcloud user/block", (100, False)),
            ("rongcloud user/deactivate", (100, True)),
            ("rongcloud user/reactivate", (100, True)),
            ("nexconn auth/access-token/issue", (200, False)),
            ("nexconn user/ban", (100, False)),
            ("nexconn user/soft-delete", (100, True)),
            ("nexconn user/restore", (100, True)),
        ],
    )
    def test_are_the_vendors_numbers(self, call, expected):
        name, call_name = call.split(" ")
        [vendor] = [vendor for vendor in vendors() if vendor.name == name]
        limit = vendor.limits.of(call_name)

        assert (limit.per_second, limit.of_users) == expected

    def test_hold_for_a_second(self, slow):
        with time_machine.travel(NOON, tick=False) as clock:
            caller = RongCloud(slow)
            assert statuses(caller, "checkOnline", 4, userId="a") == [200, 200, 200, 429]
            assert caller("checkOnline", userId="a")[1] == {
                "code": 1008,
                "errorMessage": "More than 3 calls a second",
            }
            assert caller.response["Retry-After"] == "1"
            clock.move_to(NOON + SECOND)
            assert statuses(caller, "checkOnline", 1, userId="a") == [200]

    def test_are_counted_per_call_and_environment(self, slow, production, at_noon):
        slow_one, other = RongCloud(slow), RongCloud(production)
        statuses(slow_one, "checkOnline", 4, userId="a")

        assert slow_one("block/query")[0] == 200
        assert statuses(other, "checkOnline", 4, userId="a") == [200] * 4

    def test_count_users_where_the_vendor_does(self, slow, at_noon):
        ids = ["a", "b", "c"]

        assert statuses(RongCloud(slow), "deactivate", 2, userId=ids) == [200, 429]
        assert statuses(Nexconn(slow), "user/soft-delete", 2, userIds=ids) == [200, 429]

    def test_are_shared_by_a_calls_two_paths(self, environment, at_noon):
        environment.vendor_settings = {
            "nexconn": {"rate_limits": {"user/connection-status/get": 1}}
        }
        environment.save()
        caller = Nexconn(environment)

        assert caller("user/connection-status/get", userId="a")[0] == 200
        assert caller("user/online-status/get", userId="a")[0] == 429

    def test_do_not_count_unauthenticated_calls(self, slow, at_noon):
        caller = Nexconn(slow)
        stranger = Nexconn(slow)
        stranger.headers = {**stranger.headers, "Signature": "0" * 40}
        statuses(stranger, "user/get", 5, userId="a")

        assert caller("user/get", userId="a")[0] == 400

    def test_cost_a_call_one_round_trip(self, slow, at_noon, monkeypatch):
        caller, sent = RongCloud(slow), []
        caller("block/query")  # loads the Lua script into Redis
        send = AbstractConnection.send_packed_command
        monkeypatch.setattr(
            AbstractConnection,
            "send_packed_command",
            lambda *args, **options: sent.append(1) or send(*args, **options),
        )

        assert caller("block/query")[0] == 200
        assert len(sent) == 1

    def test_can_be_switched_off(self, slow, at_noon, settings):
        settings.API_RATE_LIMITS = False

        assert statuses(Nexconn(slow), "user/get", 5, userId="a") == [400] * 5


class TestLostRedis:
    @pytest.fixture
    def broken(self, monkeypatch):
        tries = []

        def away(*_, **__):
            tries.append(1)
            raise ConnectionError("no route to Redis")

        monkeypatch.setattr(ratelimit, "_limiter", away)
        return tries

    def test_lets_calls_pass_and_logs_it_once(self, slow, broken, caplog):
        with time_machine.travel(NOON, tick=False) as clock:
            caller = Nexconn(slow)
            with caplog.at_level(logging.ERROR, logger=ratelimit.__name__):
                assert statuses(caller, "user/get", 5, userId="a") == [400] * 5
            assert [record.getMessage() for record in caplog.records] == [
                "Rate limits are off for 0:00:05: no answer from Redis"
            ]
            assert len(broken) == 1

            clock.move_to(NOON + 5 * SECOND)
            caller("user/get", userId="a")
            assert len(broken) == 2
