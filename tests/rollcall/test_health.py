import os
import subprocess
from datetime import timedelta

import pytest
from django.db import connection

from applications.models import Webhook
from moderation import ban_sweep, conditions
from rollcall import orphans
from tests.factories import (
    DAY,
    MINUTE,
    NOON,
    make_ban,
    make_deactivated,
    make_delivery,
    make_environment,
    make_user,
    make_webhook,
)
from users.models import Place


@pytest.fixture
def swept(at_noon, monkeypatch):
    monkeypatch.setattr(conditions, "MOST_APART", timedelta.max)  # the database's clock goes on
    ban_sweep.note_sweep(closed=0, now=NOON)


class TestHealthz:
    def test_asks_no_database(self, client):
        # Without the `db` mark any query fails the test.
        assert client.get("/healthz").text == "ok"

    def test_answers_load_balancers_who_know_neither_name_nor_https(self, client, settings):
        settings.ALLOWED_HOSTS = ["rollcall.example"]
        settings.SECURE_SSL_REDIRECT = True
        assert client.get("/healthz", headers={"Host": "10.4.0.17:8000"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "not a host"}).status_code == 200

    def test_changes_nothing(self, client):
        assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
class TestReadyz:
    def test_is_ready_when_every_part_is_well(self, client, swept):
        response = client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["ready"] is True
        assert set(response.json()["checks"]) == {
            *("database", "broker", "rate_limits", "ban_sweep", "leases", "erasure"),
            *("audit_seals", "webhooks", "migrations"),
            *("clock", "writes", "disk", "shared_redis"),
        }
        assert response.json()["faults"] == []

    def test_answers_whatever_the_host_is_called(self, client, swept):
        assert client.get("/readyz", headers={"Host": "10.4.0.17"}).status_code == 200

    def test_is_not_ready_when_nobody_sweeps(self, client):
        assert client.get("/readyz").status_code == 503

    def test_is_not_ready_when_bans_wait_for_the_sweep(self, client, swept):
        make_ban(
            environment=make_environment(), imposed_at=NOON - DAY, expires_at=NOON - 5 * MINUTE
        )
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["ban_sweep"]["late_seconds"] == 300

    def test_is_not_ready_when_ended_leases_wait_for_the_sweep(self, client, swept):
        user = make_user(environment=make_environment())
        Place.objects.create(user=user, lease_until=NOON - 5 * MINUTE)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["leases"]["late_seconds"] == 300

    def test_is_not_ready_when_deactivated_users_wait_for_erasure(self, client, swept):
        make_deactivated(
            environment=make_environment(), deactivated_at=NOON - 10 * MINUTE, erased_at=None
        )
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["erasure"]["late_seconds"] == 600

    def test_is_not_ready_when_nobody_sends_webhooks_and_says_since_when(self, client, swept):
        webhook = make_webhook(environment=make_environment())
        Webhook.objects.update(next_turn_at=NOON - DAY)
        make_delivery(webhook=webhook, next_attempt_at=NOON - 6 * MINUTE)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["webhooks"]["since"] == "2026-03-02T11:54:00+00:00"
        assert response.json()["faults"] == [
            "Nobody sends deliveries that are due, to endpoints that are not paused"
            " (since 2026-03-02T11:54:00+00:00)"
        ]

    def test_is_ready_while_receivers_fail(self, client, swept):
        """Their endpoint is paused: nothing here is late."""
        webhook = make_webhook(environment=make_environment())
        Webhook.objects.update(next_turn_at=NOON + MINUTE, failing_since=NOON - DAY)
        make_delivery(webhook=webhook, next_attempt_at=NOON - DAY)
        assert client.get("/readyz").status_code == 200

    def test_says_since_when_a_store_has_been_away(self, client, swept, settings, tmp_path):
        settings.DATA_DIR = tmp_path
        url, settings.REDIS_URL = settings.REDIS_URL, "redis://:hush@127.0.0.1:1/0"
        client.get("/readyz")
        long_ago = (NOON - DAY).timestamp()
        os.utime(tmp_path / "faults" / "broker", (long_ago, long_ago))
        response = client.get("/readyz")
        assert response.json()["checks"]["broker"]["since"] == "2026-03-01T12:00:00+00:00"
        assert response.json()["faults"][0].startswith("Redis does not answer")
        settings.REDIS_URL = url
        assert client.get("/readyz").status_code == 200
        assert not list((tmp_path / "faults").iterdir())

    def test_is_not_ready_without_redis_and_says_so_soon(self, client, swept, settings):
        settings.REDIS_URL = "redis://:hush@127.0.0.1:1/0"
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["broker"]["error"] == "ConnectionError"
        assert "hush" not in response.text

    def test_says_that_calls_are_not_limited_while_the_counters_are_away(
        self, client, swept, settings
    ):
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://:hush@127.0.0.1:1/0",
            }
        }
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["rate_limits"]["error"] == "ConnectionError"

    def test_names_processes_that_cannot_stay_up(self, client, swept, settings, tmp_path):
        settings.PROCESSES_FILE = tmp_path / orphans.FILE
        started = [
            orphans.Started(name, 1, None, 15, is_store=False, cannot_stay_up=name == "worker")
            for name in ("web", "worker")
        ]
        orphans.Record(os.getpid(), None, "", started).write(tmp_path)
        response = client.get("/readyz")
        assert response.status_code == 503
        told = response.json()["checks"]["processes"]
        assert (told["ok"], told["cannot_stay_up"]) == (False, ["worker"])

    def test_says_nothing_of_processes_whose_supervisor_is_gone(
        self, client, swept, settings, tmp_path
    ):
        settings.PROCESSES_FILE = tmp_path / orphans.FILE
        gone = subprocess.Popen(["true"])
        gone.wait()
        orphans.Record(gone.pid, None, "", []).write(tmp_path)
        assert "processes" not in client.get("/readyz").json()["checks"]

    def test_is_not_ready_without_a_database(self, client, monkeypatch):
        def refuse(*_args, **_options):
            raise OSError("password=hush")

        monkeypatch.setattr(connection, "cursor", refuse)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["database"]["error"] == "OSError"
        assert "hush" not in response.text
