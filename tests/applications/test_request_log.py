"""The log of calls is bounded, and costs a call nothing but an append."""

import threading

import pytest
import redis
from django.utils import timezone

from applications import hourly, redis_client, request_log
from applications.hourly import Figure
from applications.request_log import Answered
from tests.factories import MINUTE, make_environment, make_logged_call
from tests.waiting import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """Nothing is written but by the test."""
    request_log._buffer.clear()
    monkeypatch.setattr(request_log, "_start", lambda: None)


@pytest.fixture
def environment():
    return make_environment()


def note(environment, **fields):
    call = make_logged_call(**fields)
    request_log.note(Answered(environment.pk, call))
    return call


def test_calls_come_back_as_they_were_the_newest_first(environment):
    calls = [note(environment, at=float(second)) for second in range(3)]
    request_log.write()
    assert request_log.lately(environment).calls == calls[::-1]


def test_of_a_busy_moment_the_refused_are_kept_and_the_rest_is_counted(environment):
    refused = note(environment, status=403, at=0.0)
    for second in range(100):
        note(environment, at=float(second))
    request_log.write()
    lately = request_log.lately(environment)
    assert (len(lately.calls), lately.left_out) == (request_log.CALLS_KEPT, 81)
    assert refused in lately.calls


def test_refused_calls_are_counted_by_the_hour_also_those_left_out(environment):
    at = timezone.now().timestamp()
    for _ in range(request_log.CALLS_KEPT + 5):
        note(environment, status=403, at=at)
    note(environment, at=at)
    request_log.write()
    hourly.write()
    *_, (_, now) = hourly.lately(environment.pk, now=timezone.now())
    assert now[Figure.CALLS_REFUSED] == request_log.CALLS_KEPT + 5


def test_figures_wait_while_redis_is_away(environment, settings):
    at, working = timezone.now(), settings.REDIS_URL
    hourly.note(environment.pk, Figure.CALLS_REFUSED, at=at.timestamp(), times=2)
    settings.REDIS_URL = "redis://127.0.0.1:1"
    with pytest.raises(redis.RedisError):
        hourly.write()
    assert hourly.lately(environment.pk, now=at) == []
    settings.REDIS_URL = working
    hourly.write()
    *_, (_, now) = hourly.lately(environment.pk, now=at)
    assert now[Figure.CALLS_REFUSED] == 2


def test_is_bounded(environment, monkeypatch):
    monkeypatch.setattr(request_log, "ENTRIES", 10)
    for _ in range(300):
        note(environment)
        request_log.write()
    # Redis cuts off whole blocks, of a hundred entries.
    assert len(request_log.lately(environment).calls) <= 110
    assert redis_client.client().ttl(request_log._stream(environment.pk)) > 0


def test_is_written_in_one_round_trip_for_all_environments(environment, monkeypatch):
    other = make_environment(kind="production", application=environment.application)
    sent = []
    execute = redis.client.Pipeline.execute
    monkeypatch.setattr(
        redis.client.Pipeline, "execute", lambda self: (sent.append(1), execute(self))[1]
    )
    for here in (environment, other, environment):
        note(here)
    request_log.write()
    request_log.write()
    assert sent == [1]


def test_keeps_the_code_of_a_refusal_and_nothing_else_of_its_body(environment):
    for body, code in ((b'{"code": 1004, "userId": "mia"}', "1004"), (b"junk", ""), (b"[]", "")):
        request_log.note(Answered(environment.pk, make_logged_call(status=400), body, "code"))
        request_log.write()
        [newest, *_] = redis_client.client().xrevrange(request_log._stream(environment.pk))
        assert b"mia" not in newest[1][b"calls"]
        assert f'"{code}"'.encode() in newest[1][b"calls"]


def test_costs_no_answer_while_redis_is_down(environment, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    note(environment)
    with pytest.raises(redis.RedisError):
        request_log.write()
    assert request_log.lately(environment) == request_log.Lately([], is_known=False)


def test_is_written_by_a_thread_that_a_fork_starts_anew(environment, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(request_log, "_writer", threading.Thread())  # not alive, as after a fork
    call = note(environment)
    eventually(lambda: request_log.lately(environment).calls == [call])


def test_calls_go_when_the_environment_no_longer_keeps_them(environment):
    """By the clock of Redis, which dates what it stores."""
    request_log.note(Answered(environment.pk, make_logged_call()))
    request_log.write()
    request_log.forget_old(now=timezone.now() + environment.keep_requests - MINUTE)
    assert len(request_log.lately(environment).calls) == 1
    request_log.forget_old(now=timezone.now() + environment.keep_requests + MINUTE)
    assert request_log.lately(environment).calls == []
