"""The Grafana board and the alert rules name no metric that does not exist, and no wrong label."""

import json
import re

import pytest
import yaml
from django.conf import settings
from django.utils import timezone

from applications import metrics
from moderation import figures

BOARD = json.loads((settings.BASE_DIR / "deploy/grafana/rollcall.json").read_text())
RULES = yaml.safe_load((settings.BASE_DIR / "deploy/prometheus/rollcall.rules.yml").read_text())
ALERTS = RULES["groups"][0]["rules"]
QUERIES = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])] + [
    alert["expr"] for alert in ALERTS
]
SUFFIXES = {
    "histogram": ("_bucket", "_count", "_sum"),
    "counter": ("_total",),
    "gauge": ("",),
}


@pytest.fixture
def series(db):
    """Name of each series → its labels."""
    known = {}
    ours = {metric.name for metric in metrics.registry.collect()}
    state = [each for each in figures.read(now=timezone.now()) if each.name not in ours]
    for metric in [*metrics.registry.collect(), *state]:
        own = metrics.registry._names_to_collectors.get(metric.name)
        labels = set(own._labelnames) if own else set(metric.samples[0].labels)
        for suffix in SUFFIXES[metric.type]:
            known[metric.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return known


@pytest.mark.parametrize("query", QUERIES)
def test_what_a_query_names_exists(series, query):
    [*named] = re.findall(r"rollcall_\w+", query)
    assert named
    assert set(named) <= set(series)
    labels = {
        label.strip()
        for group in re.findall(r"by \(([^)]*)\)", query)
        for label in group.split(",")
    } | set(re.findall(r"(\w+)=~?\"", query))
    assert labels <= set().union(*(series[name] for name in named))


def test_every_metric_is_on_the_board(series):
    shown = " ".join(QUERIES)
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in series}
    unseen = {name for name in families if name not in shown}
    # What /readyz says in words is an alert and no curve.
    assert unseen <= {"rollcall_work_is_late"}


def test_there_are_six_alerts_with_a_mend():
    assert len(ALERTS) == 6
    assert all(alert["annotations"]["description"] for alert in ALERTS)
