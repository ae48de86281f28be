"""Law 33: the audit is append-only in the database, and sealed. Whoever changes, removes, adds or
reorders a sealed line is found out by anyone who verifies.

The attackers here hold the database: they switch its triggers off. They do not hold the key.
"""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from applications import audit, audit_lines, audit_seals, audit_verification, seal_copies, tasks
from applications.audit_types import AuditType
from applications.models import AuditEvent, AuditSeal, Delivery
from tests.factories import MINUTE, NOON, make_environment, make_webhook, staff_actor


def write(environment, *subjects, at=NOON):
    """A line about each subject, in one transaction; their ids."""
    last = AuditEvent.objects.order_by("pk").last().pk
    with transaction.atomic():
        audit.record_many(
            AuditType.USER_KICKED,
            environment=environment,
            by=staff_actor(),
            now=at,
            changes=[(subject, None, {"connections": 1}) for subject in subjects],
        )
    return list(AuditEvent.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True))


def attack(sql, *values):
    """As the owner of the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def faults(**of):
    """(what is wrong, line) of each finding."""
    report = audit_verification.verify(**of)
    return [(finding.fault.value, finding.line or finding.seal) for finding in report.findings]


@pytest.fixture
def alone(monkeypatch):
    """The transaction of the test, and those of other tests, keep no line waiting."""
    monkeypatch.setattr(audit_seals, "_OLDEST_TRANSACTION", "SELECT 9e18::bigint")


@pytest.fixture
def trail(environment, alone):
    """Lines about a to f in three seals; the first also holds what made the environment."""
    ids = []
    for number, pair in enumerate(("ab", "cd", "ef")):
        now = NOON + number * MINUTE
        ids += write(environment, *pair, at=now)
        audit_seals.seal_next(now=now)
    assert faults() == []
    return ids


class TestDatabase:
    @pytest.mark.parametrize("table", ["applications_auditevent", "applications_auditseal"])
    @pytest.mark.parametrize(
        "change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
    )
    def test_refuses_every_change(self, trail, table, change):
        sql = change.format(table)
        if table.endswith("seal"):
            sql = sql.replace("id = id", "lines = lines")
        with transaction.atomic(), connection.cursor() as cursor:
            # A table with unchecked foreign keys cannot be truncated at all.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                cursor.execute(sql)

    def test_refuses_what_the_orm_sends(self, trail):
        line = AuditEvent.objects.latest("pk")
        for change in (line.save, line.delete, AuditEvent.objects.all().delete):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                change()

    def test_keeps_an_application_that_has_lines(self, environment):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            environment.application.delete()


class TestSealing:
    def test_takes_each_line_once(self, trail):
        held = [each for seal in AuditSeal.objects.all() for each in audit_lines.ids_in(seal.ids)]
        assert sorted(held) == list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))

    def test_makes_no_seal_over_nothing(self, trail):
        assert audit_seals.seal_next(now=NOON + 9 * MINUTE) is None

    def test_splits_what_is_too_much_for_one(self, trail, environment, monkeypatch):
        monkeypatch.setattr(audit_seals, "LINES_AT_ONCE", 2)
        later = NOON + 5 * MINUTE
        write(environment, *"ghijk", at=later)
        tasks.seal_audit()
        assert list(AuditSeal.objects.order_by("pk").values_list("lines", flat=True))[3:] == [
            2,
            2,
            1,
        ]
        assert faults() == []

    def test_happens_once_a_minute(self, trail, environment):
        assert not audit_seals.is_due(now=NOON + 2 * MINUTE + timedelta(seconds=59))
        assert audit_seals.is_due(now=NOON + 3 * MINUTE)

    def test_survives_a_new_key(self, trail, environment, settings):
        settings.ENCRYPTION_KEYS = ["n" * 40, *settings.ENCRYPTION_KEYS]
        write(environment, "g", at=NOON + 3 * MINUTE)
        audit_seals.seal_next(now=NOON + 3 * MINUTE)
        assert faults() == []
        settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
        assert faults() == [("key unknown", number) for number in (1, 2, 3)]

    def test_is_found_missing_when_lines_wait_too_long(self, trail, environment):
        write(environment, "g", at=NOON + 3 * MINUTE)
        assert audit_seals.seal_health(now=NOON + 7 * MINUTE).is_well
        health = audit_seals.seal_health(now=NOON + 8 * MINUTE)
        assert (health.is_well, health.waiting) == (False, 5 * MINUTE)


@pytest.mark.django_db(transaction=True)
class TestLateCommit:
    """A transaction takes its ids, and commits after greater ids were sealed."""

    @pytest.fixture
    def slow(self):
        other = connection.copy()
        other.set_autocommit(False)
        yield other
        other.close()

    def insert(self, slow, environment, subject, at=NOON):
        slow.cursor().execute(
            "INSERT INTO applications_auditevent (at, type, application_id, environment_id,"
            " subject, actor_kind, actor, via, request_id)"
            " VALUES (%s, 'user.kicked', %s, %s, %s, 'staff', 'grace', 'console', '')",
            [at, environment.application_id, environment.pk, subject],
        )

    def test_is_sealed_once_and_is_no_forgery(self, slow):
        environment = make_environment()
        self.insert(slow, environment, "late")
        for minute in range(4):
            write(environment, f"early-{minute}", at=NOON + minute * MINUTE)
            audit_seals.seal_next(now=NOON + minute * MINUTE)
        slow.commit()
        assert faults() == []  # it waits
        late = AuditEvent.objects.get(subject="late").pk
        assert audit_verification.standing(AuditEvent(pk=late)).seal is None
        seal = audit_seals.seal_next(now=NOON + 5 * MINUTE)
        assert seal.ids == f"{{[{late},{late + 1})}}"
        for minute in range(6, 9):
            write(environment, "after", at=NOON + minute * MINUTE)
            audit_seals.seal_next(now=NOON + minute * MINUTE)
        held = [each for seal in AuditSeal.objects.all() for each in audit_lines.ids_in(seal.ids)]
        assert len(held) == len(set(held)) == AuditEvent.objects.count()
        assert faults() == []

    def test_is_waited_for_as_long_as_it_lasts(self, slow):
        environment = make_environment()
        self.insert(slow, environment, "late")
        for minute in range(0, 60, 10):
            write(environment, f"early-{minute}", at=NOON + minute * MINUTE)
            seal = audit_seals.seal_next(now=NOON + minute * MINUTE)
            assert seal.settled_id < AuditEvent.objects.earliest("pk").pk
        slow.commit()
        assert audit_seals.seal_next(now=NOON + 61 * MINUTE).lines == 1
        assert faults() == []

    def test_two_workers_do_not_seal_at_once(self, slow):
        make_environment()
        slow.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [audit_seals.LOCK])
        assert audit_seals.seal_next(now=NOON) is None
        slow.rollback()
        assert audit_seals.seal_next(now=NOON).number == 1


class TestWhoeverHoldsTheDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            "subject = 'x'",
            "at = at + interval '1 microsecond'",
            "actor = 'heidi'",
            "after = '{\"connections\": 2}'",
            "after = NULL",
            "environment_id = NULL",
            "address = '192.0.2.8'",
            "request_id = 'r'",
            "type = 'ban.lifted'",
        ],
    )
    def test_changes_a_line(self, trail, change):
        attack(f"UPDATE applications_auditevent SET {change} WHERE id = {trail[2]}")  # noqa: S608
        assert faults() == [("changed", trail[2])]
        standing = audit_verification.standing(AuditEvent.objects.get(pk=trail[2]))
        assert (standing.fault, standing.seal.number) == ("changed", 2)

    def test_removes_a_line(self, trail):
        attack("DELETE FROM applications_auditevent WHERE id = %s", trail[3])
        assert faults() == [("removed", trail[3])]

    def test_adds_a_line_in_a_gap(self, trail, environment):
        self.add(trail[0] - 100, at=NOON)
        write(environment, "g", at=NOON + 5 * MINUTE)
        audit_seals.seal_next(now=NOON + 5 * MINUTE)
        assert faults() == [("added", trail[0] - 100)]
        added = AuditEvent.objects.get(pk=trail[0] - 100)
        assert audit_verification.standing(added).fault == "added"

    def test_adds_a_line_about_the_past(self, trail, environment):
        for minute in (30, 31, 32):
            write(environment, "g", at=NOON + minute * MINUTE)
            audit_seals.seal_next(now=NOON + minute * MINUTE)
        [forged] = write(environment, "forged", at=NOON)
        audit_seals.seal_next(now=NOON + 33 * MINUTE)
        assert faults() == [("backdated", forged)]

    def add(self, id, *, at):
        attack(
            "INSERT INTO applications_auditevent SELECT (jsonb_populate_record(line,"
            " jsonb_build_object('id', %s::bigint, 'at', %s::timestamptz, 'subject', 'forged'))).*"
            " FROM applications_auditevent AS line ORDER BY id LIMIT 1",
            id,
            at,
        )

    def test_lets_two_lines_change_places(self, trail):
        one, other = trail[1], trail[4]
        attack(
            "UPDATE applications_auditevent AS line SET (subject, at) = (o.subject, o.at)"
            " FROM applications_auditevent AS o WHERE (line.id, o.id) IN ((%s, %s), (%s, %s))",
            *(one, other, other, one),
        )
        report = audit_verification.verify()
        assert [(each.fault, each.line, each.other) for each in report.findings] == [
            ("moved", one, other),
            ("moved", other, one),
        ]

    def test_gives_a_line_another_place(self, trail):
        attack("UPDATE applications_auditevent SET id = 0 WHERE id = %s", trail[1])
        report = audit_verification.verify()
        assert [(each.fault, each.line, each.other) for each in report.findings] == [
            ("moved", 0, trail[1]),
            ("removed", trail[1], None),
        ]

    def test_changes_a_seal_so_that_it_fits(self, trail):
        attack("UPDATE applications_auditseal SET lines = lines + 1 WHERE number = 2")
        assert faults() == [("seal changed", 2)]

    def test_makes_a_seal_with_another_key(self, trail, settings):
        ours, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, ["x" * 40]
        foreign = audit_seals.seal_keys()[0]
        settings.ENCRYPTION_KEYS = ours
        seal = AuditSeal.objects.get(number=3)
        seal.key_hint = audit_seals.seal_keys()[0].hint
        attack(
            "UPDATE applications_auditseal SET seal = %s WHERE number = 3",
            audit_seals.mac(seal, foreign),
        )
        assert faults() == [("seal changed", 3)]

    def test_removes_a_seal(self, trail):
        attack("DELETE FROM applications_auditseal WHERE number = 2")
        assert faults() == [("seal removed", 2)]

    def test_replays_an_old_seal(self, trail):
        """In place of the last one, and after it."""
        copied = "SELECT %s AS number, " + ", ".join(
            field.column for field in AuditSeal._meta.fields if field.column != "number"
        )
        insert = f"INSERT INTO applications_auditseal {copied} FROM applications_auditseal"
        attack(f"{insert} WHERE number = 2", 4)
        assert ("seal changed", 4) in faults()
        attack("DELETE FROM applications_auditseal WHERE number >= 3")
        attack(f"{insert} WHERE number = 1", 3)
        assert ("seal changed", 3) in faults()

    def test_cuts_off_the_end(self, trail, environment):
        """What the database alone cannot know, a copy elsewhere does."""
        copies = [{"number": s.number, "seal": s.seal} for s in AuditSeal.objects.all()]
        attack("DELETE FROM applications_auditseal WHERE number >= 2")
        attack("DELETE FROM applications_auditevent WHERE id >= %s", trail[2])
        assert faults(copies=copies) == [("seal removed", 2), ("seal removed", 3)]
        write(environment, "g", at=NOON + 3 * MINUTE)
        audit_seals.seal_next(now=NOON + 3 * MINUTE)
        assert faults(copies=copies) == [("seal removed", 3), ("seal replaced", 2)][::-1]

    def test_and_the_key_rewrites_everything(self, trail):
        copies = [{"number": s.number, "seal": s.seal} for s in AuditSeal.objects.all()]
        attack("DELETE FROM applications_auditseal")
        attack("UPDATE applications_auditevent SET actor = 'heidi' WHERE id = %s", trail[3])
        audit_seals.seal_next(now=NOON)
        assert faults() == []
        assert faults(copies=copies) == [
            ("seal replaced", 1),
            ("seal removed", 2),
            ("seal removed", 3),
        ]

    def test_is_found_out_in_part_of_the_seals_too(self, trail):
        attack("UPDATE applications_auditevent SET actor = 'x' WHERE id = %s", trail[0])
        assert faults(numbers=range(1, 2)) == [("changed", trail[0])]
        assert faults(numbers=range(2, 4)) == []


class TestCopies:
    @pytest.fixture
    def file(self, settings, tmp_path):
        settings.AUDIT_SEALS_FILE = tmp_path / "seals.jsonl"
        return settings.AUDIT_SEALS_FILE

    def test_in_a_file_are_brought_up_to_date(self, trail, file):
        for _ in range(2):
            seal_copies.bring_up_to_date()
        assert [json.loads(line)["number"] for line in file.read_text().splitlines()] == [1, 2, 3]

    def test_go_on_after_a_run_that_was_killed(self, trail, file):
        seal_copies.bring_up_to_date()
        whole = file.read_bytes()
        file.write_bytes(whole[:-20])
        seal_copies.bring_up_to_date()
        assert file.read_bytes() == whole

    def test_go_to_webhooks_that_chose_them(self, trail, environment):
        make_webhook(environment=environment, events=["audit.sealed"])
        make_webhook(environment=environment, events=["user.banned"])
        seal = audit_seals.seal_next(now=NOON + 3 * MINUTE)
        [delivery] = Delivery.objects.all()
        assert (delivery.event, delivery.data["seal"]) == ("audit.sealed", seal.seal)


class TestCommand:
    @pytest.fixture
    def file(self, settings, tmp_path):
        settings.AUDIT_SEALS_FILE = tmp_path / "seals.jsonl"
        return settings.AUDIT_SEALS_FILE

    def test_says_that_all_is_as_it_was(self, trail, file, capsys):
        seal_copies.bring_up_to_date()
        call_command("verify_audit")
        assert "lines 7, seals 3, copies 3. All are as they were." in capsys.readouterr().out

    def test_names_what_is_not(self, trail, file, capsys):
        attack("UPDATE applications_auditevent SET actor = 'x' WHERE id = %s", trail[0])
        with pytest.raises(CommandError, match="Not as it was: 1"):
            call_command("verify_audit")
        assert f"Line {trail[0]} was changed" in capsys.readouterr().out

    def test_reads_what_a_webhook_has_received(self, trail, file, tmp_path):
        received = tmp_path / "received"
        data = {"number": 2, "seal": "0" * 64}
        received.write_text(json.dumps({"type": "audit.sealed", "data": data}) + "\n")
        with pytest.raises(CommandError, match="Not as it was: 1"):
            call_command("verify_audit", copies=[received])

    def test_says_which_line_of_a_file_it_cannot_read(self, trail, file, tmp_path):
        junk = tmp_path / "junk"
        junk.write_text("[]\n")
        with pytest.raises(CommandError, match="line 1 is not a copy"):
            call_command("verify_audit", copies=[junk])


def test_hashes_are_those_of_postgresql(environment):
    """What is hashed does not depend on the session's time zone."""
    [id] = write(environment, "a")
    [line] = audit_lines.held(audit_lines.multirange([id]))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Shanghai'")
        assert audit_lines.held(audit_lines.multirange([id])) == [line]
    assert line.content.startswith('["2026-03-02T12:00:00.000000", "user.kicked"')
