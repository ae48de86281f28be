"""`/metrics` is closed by default, and says what happened in all processes of the machine."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as project
from prometheus_client.parser import text_string_to_metric_families

from applications import metrics
from applications.models import Webhook
from applications.redis_client import client as redis_client
from rollcall.variables import networks
from tests.api.callers import RongCloud
from tests.factories import MINUTE, NOON, make_ban, make_delivery, make_environment, make_webhook
from users import bus

TOKEN = "a-token-for-the-scraper"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def scrape(client, settings, db):
    """The samples: (name, labels) → value."""
    settings.METRICS_TOKEN = TOKEN

    def read():
        families = text_string_to_metric_families(client.get("/metrics", headers=BEARER).text)
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    return read


class TestAScrapeFromOutside:
    """Nobody is let in by default, and who is not gets what a page that does not exist gets."""

    @pytest.mark.parametrize("headers", [{}, BEARER, {"Authorization": "Bearer "}])
    def test_finds_nothing(self, client, headers):
        assert client.get("/metrics", headers=headers).status_code == 404

    @pytest.mark.parametrize(
        "value", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer ü", "Bearer "]
    )
    def test_needs_the_right_token(self, client, settings, value):
        settings.METRICS_TOKEN = TOKEN
        assert client.get("/metrics", headers={"Authorization": value}).status_code == 404

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("peer", "proxies", "forwarded", "status"),
        [
            ("10.1.2.3", 0, "", 200),
            ("192.0.2.7", 0, "", 404),
            ("192.0.2.7", 1, "10.1.2.3", 200),
            ("10.1.2.3", 1, "192.0.2.7", 404),
            # Behind a proxy that no setting counts, each caller has the proxy's address.
            ("10.1.2.3", 0, "192.0.2.7", 404),
            ("10.1.2.3", 1, "10.1.2.3, 192.0.2.7", 404),
        ],
    )
    def test_needs_an_address_of_the_setting(
        self, client, settings, peer, proxies, forwarded, status
    ):
        settings.METRICS_ADDRESSES, settings.TRUSTED_PROXIES = networks("10.0.0.0/8"), proxies
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        assert client.get("/metrics", headers=headers, REMOTE_ADDR=peer).status_code == status


def test_calls_are_counted_by_vendor_call_and_status(scrape, environment, at_noon):
    labels = (("call", "user/getToken"), ("status", "200"), ("vendor", "rongcloud"))
    name = ("rollcall_api_call_seconds_count", *labels)
    before = scrape().get(name, 0)
    RongCloud(environment)("getToken", userId="mia", name="Mia")
    assert scrape()[name] == before + 1


OTHER = """
from applications import metrics
metrics.OPENED.labels("rollcall").inc()
metrics.CONNECTIONS.labels("rollcall").inc(3)
"""


def test_other_processes_of_the_machine_are_in_it_and_the_dead_have_no_connections(scrape):
    opened = ("rollcall_gateway_connections_opened_total", ("protocol", "rollcall"))
    before = scrape().get(opened, 0)
    subprocess.run([sys.executable, "-c", OTHER], cwd=project.BASE_DIR, env=os.environ, check=True)
    found = scrape()
    assert found[opened] == before + 1
    assert found.get(("rollcall_gateway_connections", ("protocol", "rollcall")), 0) == 0


def test_says_how_late_the_work_is_and_how_long_the_queue(scrape, at_noon):
    environment = make_environment()
    make_ban(environment=environment, imposed_at=NOON - 9 * MINUTE, expires_at=NOON - 5 * MINUTE)
    webhook = make_webhook(environment=environment)
    Webhook.objects.update(next_turn_at=NOON - 9 * MINUTE)
    make_delivery(webhook=webhook, queued_at=NOON - 7 * MINUTE, next_attempt_at=NOON - 6 * MINUTE)
    redis = redis_client()
    redis.delete("celery")
    redis.rpush("celery", "junk", '{"headers": {"rollcall_sent_at": %f}}' % (NOON.timestamp() - 30))
    found = scrape()
    redis.delete("celery")
    assert found[("rollcall_work_lag_seconds", ("work", "ban_sweep"))] == 300
    assert found[("rollcall_work_lag_seconds", ("work", "webhooks"))] == 360
    assert found[("rollcall_work_is_late", ("work", "webhooks"))] == 1
    assert found[("rollcall_webhook_oldest_waiting_seconds",)] == 420
    assert found[("rollcall_queue_tasks",)] == 2
    assert found[("rollcall_queue_oldest_seconds",)] == 30
    assert found[("rollcall_database_sessions_limit",)] > 0


def test_goes_on_without_redis(scrape, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = scrape()
    assert found[("rollcall_store_up", ("store", "redis"))] == 0
    assert found[("rollcall_store_up", ("store", "database"))] == 1


def test_dropped_messages_are_counted(scrape, settings, django_capture_on_commit_callbacks):
    dropped = ("rollcall_bus_messages_total", ("result", "dropped"))
    before = scrape()[dropped]
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with django_capture_on_commit_callbacks(execute=True):
        bus.publish("kick", connections=[1])
    assert scrape()[dropped] == before + 1


def test_a_new_supervisor_starts_from_zero(tmp_path, monkeypatch):
    """What processes have counted that it does not know would never be removed."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    left, own = tmp_path / "counter_1.db", tmp_path / f"counter_{os.getpid()}.db"
    left.touch(), own.touch()
    metrics.start_anew()
    assert list(tmp_path.iterdir()) == [own]
