"""The page Health draws the figures of `/metrics`, from samples that a task keeps."""

from datetime import timedelta

import pytest
from prometheus_client import Metric
from prometheus_client.samples import Sample as One

from applications import metrics
from applications.redis_client import client as redis_client
from console.health import charts
from moderation import conditions, figure_history, tasks
from moderation.figure_history import Sample
from tests.factories import MINUTE, NOON, make_account, make_ban


@pytest.fixture
def staff(client, environment):
    client.force_login(make_account(is_staff=True))


@pytest.fixture(autouse=True)
def no_samples(monkeypatch):
    monkeypatch.setattr(conditions, "MOST_APART", timedelta.max)  # the database's clock goes on
    redis_client().delete(figure_history._key())


def test_shows_what_is_late_and_the_calls_of_all_vendors(client, staff, environment, at_noon):
    make_ban(environment=environment, imposed_at=NOON - 9 * MINUTE, expires_at=NOON - 5 * MINUTE)
    for _ in range(500):  # the page shows the calls that are made most
        metrics.api_call("rongcloud", "user/of-this-test", 200).observe(0.004)
    metrics.api_call("rongcloud", "user/of-this-test", 403).observe(0.002)
    page = client.get("/console/health/")
    [sweep] = [work for work in page.context["works"] if work.name == "ban_sweep"]
    assert (sweep.is_well, sweep.late) == (False, 5 * MINUTE)
    assert "Bans that have ended are not closed yet" in page.text
    [row] = [row for _, row in page.context["calls"] if row.name == "user/of-this-test"]
    assert (row.number, row.refused, row.failed, row.most) == (501, 1, 0, 5)


def test_draws_each_minute_of_what_a_task_has_sampled(client, staff, at_noon):
    for _minute in range(3):
        metrics.api_call("rongcloud", "user/getToken", 500).observe(0.2)
        tasks.sample_figures()
        at_noon.shift(timedelta(minutes=1))
    groups = client.get("/console/health/").context["groups"]
    drawn = {chart.label: chart.points for group in groups for chart in group.charts}
    assert drawn["Failed here (5xx)"] == [("12:01 UTC", 1), ("12:02 UTC", 1)]
    assert drawn["95 of 100 calls within"] == [("12:01 UTC", 250), ("12:02 UTC", 250)]
    assert [time for time, _ in drawn["Tasks in the queue"]] == [
        "12:00 UTC",
        "12:01 UTC",
        "12:02 UTC",
    ]


def test_processes_that_started_anew_count_from_zero():
    before = Sample(0, {"calls": 90}, {})
    assert charts._more(before.counts, {"calls": 7}, "calls") == 7


def test_samples_are_bounded_and_no_page_without_redis(client, staff, settings, monkeypatch):
    monkeypatch.setattr(figure_history, "SAMPLES", 2)
    for _ in range(3):
        figure_history.keep(now=NOON)
    assert len(figure_history.lately()) == 2
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert figure_history.lately() == []
    assert client.get("/console/health/").status_code == 200


def test_a_sample_sums_over_labels():
    found = Metric("rollcall_webhook_attempts", "", "counter")
    for result, number in (("delivered", 5), ("failed", 2)):
        found.samples.append(One("rollcall_webhook_attempts_total", {"result": result}, number))
    counts = figure_history.sample([found], now=NOON).counts
    assert (counts["delivered"], counts["undelivered"], counts["dropped"]) == (5, 2, 0)
