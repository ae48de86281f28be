"""What is wrong with a machine and its stores, as its health page says it."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from applications import redis_client
from applications.load import QUEUE
from moderation import conditions
from tests.factories import make_account
from tests.waiting import PATIENCE
from users import bus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_redis():
    yield redis_client.client()
    redis_client.client().delete(QUEUE)


def told(client):
    client.force_login(make_account(is_staff=True))
    return client.get("/console/health/").text


def test_nothing_is_said_of_what_is_well(client):
    assert conditions.wrong(timezone.now()) == []
    assert "Something is wrong" not in told(client)


@pytest.mark.parametrize(("hours", "side"), [(1, "ahead of"), (-1, "behind")])
def test_a_clock_that_is_an_hour_off(hours, side):
    [sentence] = conditions.wrong(timezone.now() + timedelta(hours=hours))
    assert sentence.startswith(f"The clock of this machine is 3600 s {side} the database's")


def test_a_read_only_database(client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        assert conditions.wrong(timezone.now())[0].startswith("The database is read-only")


def test_a_full_disk(client, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5 * 1024**2))
    assert "The disk of DATA_DIR is full: 5 MiB are free." in told(client)


def test_the_redis_of_another_application(client, own_redis, settings):
    own_redis.set(QUEUE, "theirs")
    assert "its key celery is no queue" in told(client)
    own_redis.delete(QUEUE)
    own_redis.lpush(QUEUE, json.dumps({"headers": {"task": "shop.tasks.ship"}}))
    assert "its task shop.tasks.ship is in our queue" in told(client)
    own_redis.delete(QUEUE)
    with own_redis.pubsub() as gateway:
        gateway.subscribe(bus.channel())
        assert gateway.get_message(timeout=PATIENCE)
        assert "Another Rollcall" not in told(client)
        settings.ENCRYPTION_KEYS = ["another-installation"]
        assert "Another Rollcall" in told(client)
