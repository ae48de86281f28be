"""Law 33: the audit is kept as long as its environments say; then whole seals go with their lines,
from the oldest end, and a statement under our key says which.
"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from applications import audit_cuts, audit_retention, audit_seals, environments, seal_copies, tasks
from applications.environments import InvalidSetting
from applications.models import AuditCut, AuditEvent, AuditSeal, Environment
from tests.applications.test_audit_seals import alone, attack, faults, write  # noqa: F401
from tests.factories import DAY, MINUTE, NOON, make_environment, staff_actor

KEPT = 30 * DAY


@pytest.fixture
def other():
    return make_environment()


@pytest.fixture
def trail(environment, other, alone):  # noqa: F811
    """Six seals, a day apart. The second has a line of another application; both keep 30 days. Late
    lines may need the newest three.
    """
    Environment.objects.update(keep_audit=KEPT)
    ids = []
    for day, whose in enumerate((environment, other, *[environment] * 4)):
        now = NOON + day * DAY
        ids += write(whose, f"user-{day}", at=now)
        audit_seals.seal_next(now=now)
    assert faults() == []
    return ids


def numbers():
    return list(AuditSeal.objects.order_by("number").values_list("number", flat=True))


def drop(now):
    return audit_retention.drop_old(now=now)


class TestDropping:
    def test_takes_whole_seals_from_the_oldest_end_and_says_so(self, trail, capsys, settings):
        settings.AUDIT_SEALS_FILE = settings.DATA_DIR / "seals-of-this-test"
        seal_copies.bring_up_to_date()
        assert drop(NOON + KEPT - MINUTE) == 0
        # What made the two applications, and a line of each day.
        assert drop(NOON + KEPT + DAY) == 4
        assert drop(NOON + KEPT + DAY) == 0
        assert numbers() == [3, 4, 5, 6]
        assert list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True)) == trail[2:]
        assert faults() == []
        call_command("verify_audit")
        told = capsys.readouterr().out
        assert "1 sealed statements say: 4 lines, seals 1 to 2, sealed until 2026-03-03" in told
        assert "All are as they were" in told

    def test_goes_on_where_it_stopped(self, trail):
        for day in range(9):
            drop(NOON + KEPT + day * DAY)
        assert numbers() == [5, 6]
        assert [cut.last_seal for cut in AuditCut.objects.order_by("number")] == [1, 2, 3, 4]
        assert faults() == []
        assert faults(numbers=range(5, 6)) == []

    def test_waits_for_the_environment_that_keeps_it_longest(self, trail, other):
        """There is never a hole: what comes after waits too."""
        Environment.objects.filter(pk=other.pk).update(keep_audit=None)
        assert drop(NOON + 1_000 * DAY) == 0
        Environment.objects.filter(pk=other.pk).update(keep_audit=60 * DAY)
        assert drop(NOON + 60 * DAY - MINUTE) == 0
        assert drop(NOON + 60 * DAY) == 3
        assert numbers()[0] == 2
        assert faults() == []

    def test_leaves_what_is_not_as_it_was(self, trail):
        attack("UPDATE applications_auditevent SET actor = 'heidi' WHERE id = %s", trail[0])
        assert drop(NOON + 100 * DAY) == 0
        assert faults() == [("changed", trail[0])]

    def test_is_bounded_in_each_transaction(self, trail, monkeypatch):
        monkeypatch.setattr(audit_retention, "SEALS_AT_ONCE", 1)
        drop(NOON + 100 * DAY)
        assert numbers()[0] == 2

    def test_is_done_by_a_task(self, trail, at_noon):
        at_noon.move_to(NOON + 100 * DAY)
        tasks.forget_audit()
        assert numbers() == [5, 6]

    def test_sealing_goes_on(self, trail, environment):
        drop(NOON + 100 * DAY)
        write(environment, "g", at=NOON + 100 * DAY)
        assert audit_seals.seal_next(now=NOON + 100 * DAY).number == 7
        assert faults() == []


class TestWhoeverHoldsTheDatabase:
    @pytest.fixture
    def cut(self, trail):
        drop(NOON + KEPT + DAY)
        return AuditCut.objects.get()

    def test_removes_a_statement(self, cut):
        attack("DELETE FROM applications_auditcut")
        assert faults() == [("seal removed", 1), ("seal removed", 2)]

    def test_says_that_more_was_dropped(self, cut, trail):
        attack("DELETE FROM applications_auditevent WHERE id <= %s", trail[2])
        attack("DELETE FROM applications_auditseal WHERE number = 3")
        attack("UPDATE applications_auditcut SET last_seal = 3")
        assert ("statement forged", 1) in faults()
        assert ("seal removed", 3) in faults()

    def test_drops_by_our_rule_what_is_too_young_and_has_the_key(self, cut, trail):
        """Not even our key makes a statement of what no rule drops."""
        cut.sealed_until = cut.made_at - timedelta(days=3)
        cut.kept = timedelta(days=2)
        cut.mac = audit_cuts.mac(cut, audit_cuts.keys()[0])
        attack("DELETE FROM applications_auditcut")
        cut.save(force_insert=True)
        assert ("statement forged", 1) in faults()

    def test_is_found_out_by_a_copy_of_what_is_too_young(self, cut):
        copies = [{"number": 2, "seal": "0" * 64, "sealed_at": cut.made_at}]
        assert faults(copies=copies) == [("seal removed", 2)]
        copies = [{"number": 2, "seal": "0" * 64, "sealed_at": cut.sealed_until}]
        assert faults(copies=copies) == []

    def test_brings_a_line_back(self, cut, trail):
        attack(
            "INSERT INTO applications_auditevent SELECT (jsonb_populate_record(line,"
            " jsonb_build_object('id', %s::bigint))).*"
            " FROM applications_auditevent AS line ORDER BY id LIMIT 1",
            trail[0],
        )
        assert ("added", trail[0]) in faults()


class TestTheDatabase:
    """It refuses as before, unless the owner of the tables declares that it is retention."""

    @pytest.mark.parametrize("table", ["auditevent", "auditseal", "auditcut"])
    @pytest.mark.parametrize(
        "sql", ["UPDATE applications_{0} SET {1} = {1}", "DELETE FROM applications_{0}"]
    )
    def test_refuses_every_change(self, trail, table, sql):
        column = "id" if table == "auditevent" else "number"
        refused = pytest.raises(IntegrityError, match="append-only")
        with connection.cursor() as cursor, refused, transaction.atomic():
            cursor.execute(sql.format(table, column))

    @pytest.mark.parametrize(
        "sql", ["UPDATE applications_auditevent SET id = id", "DELETE FROM applications_auditcut"]
    )
    def test_refuses_what_retention_does_not_do(self, trail, sql):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('rollcall.audit_retention', 'on', true)")
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                cursor.execute(sql)

    def test_refuses_whoever_does_not_own_the_table(self, trail):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE ROLE somebody NOLOGIN")
            cursor.execute("GRANT SELECT, DELETE ON applications_auditevent TO somebody")
            cursor.execute("SET LOCAL ROLE somebody")
            cursor.execute("SELECT set_config('rollcall.audit_retention', 'on', true)")
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                cursor.execute("DELETE FROM applications_auditevent")
            transaction.set_rollback(True)

    def test_is_not_left_open_by_retention(self, trail):
        drop(NOON + 100 * DAY)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            AuditEvent.objects.all().delete()


@pytest.mark.parametrize("kept", [29 * DAY, -DAY, 4_000 * DAY])
def test_nobody_hides_tracks_by_keeping_them_for_a_day(environment, kept):
    with pytest.raises(InvalidSetting, match="At least 30 days and at most ten years"):
        environments.change(environment=environment, by=staff_actor(), now=NOON, keep_audit=kept)
