"""`manage.py check --deploy` asks the stores, and says what is wrong and what to do about it."""

import shutil
import time
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rollcall import installation, schema, unreachable
from tests.factories import make_environment

pytestmark = pytest.mark.django_db
OLD, NEW = "old-key-" + "0123456789abcdef" * 3, "new-key-" + "fedcba9876543210" * 3


@pytest.fixture(autouse=True)
def _own_stores(settings):
    settings.EMBEDDED_STORES = []


def found(check=installation.stores_are_fit):
    messages = check()
    assert all(each.hint for each in messages)
    return {each.id: each.msg for each in messages}


@pytest.fixture
def usual():
    """What the test's own stores are told: they run without fsync."""
    return set(found())


def test_each_store_that_does_not_answer_is_one_finding(settings, monkeypatch, usual):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(unreachable, "database_error", lambda: "connection refused")
    assert {"stores.E001", "stores.E004"} <= set(found())


def test_clocks_disk_and_durability_are_looked_at(monkeypatch, usual):
    now = time.time()
    monkeypatch.setattr(installation.time, "time", lambda: now + 60)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5 * 1024**2))
    new = found()
    assert set(new) - usual == {"stores.W003", "stores.W006", "stores.W008"}
    assert "60.0 s behind this machine's" in new["stores.W003"]
    assert "has 5 MiB free" in new["stores.W008"]
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        assert any("synchronous_commit off" in each.msg for each in installation._postgresql())
        cursor.execute("SET synchronous_commit = on")


def test_a_key_that_does_not_fit_what_is_stored_is_named(settings, usual):
    make_environment()
    settings.ENCRYPTION_KEYS = [NEW]
    assert set(found()) - usual == {"stores.E006"}


def test_a_database_of_a_newer_version_is_named_and_of_an_older_one_too(usual):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("users", "9999_from_the_future")
    recorder.record_applied("a_package_that_squashed", "0001_initial")
    assert schema.ahead() == ["users.9999_from_the_future"]
    assert "users.9999_from_the_future. A newer version" in found()["stores.W004"]
    [(_, last)] = MigrationLoader(None).graph.leaf_nodes("moderation")
    recorder.record_unapplied("moderation", last)
    assert schema.behind() == [f"moderation.{last}"]
    assert schema.apart() == (1, 1)


def test_a_queue_that_nobody_works_on_is_named():
    assert "No worker answers" in found(installation.work_is_done)["queue.W001"]
