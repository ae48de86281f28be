"""What happened is told, in its transaction, to whoever listens."""

import pytest
from django.conf import settings
from django.db import transaction

from applications import announcements, audit
from applications.announcements import EVENTS, EXAMPLES, TEST
from applications.audit import Actor
from applications.models import Delivery
from moderation import ban_sweep, bans
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    api_actor,
    make_ban,
    make_deactivated,
    make_environment,
    make_user,
    make_users,
    make_webhook,
    staff_actor,
)
from users import deactivation, deletion, registration

pytestmark = pytest.mark.django_db

BY_STAFF = {"by": staff_actor("grace"), "now": NOON}
BY_API = {"by": api_actor("nexconn user/restore"), "now": NOON}


@pytest.fixture
def webhook(environment):
    return make_webhook(environment=environment)


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    """How often the sender was asked to begin."""
    calls = []
    monkeypatch.setattr(
        announcements.current_app, "send_task", lambda *args, **_: calls.append(args)
    )
    return calls


def told(event=None):
    """[(event, data)] in the order of writing."""
    rows = Delivery.objects.order_by("pk")
    return [(row.event, row.data) for row in (rows.filter(event=event) if event else rows)]


def ban(environment, *, expires_at=NOON + DAY, reason="spam", now=NOON):
    bans.impose(
        environment=environment,
        user_ids=["mia"],
        expires_at=expires_at,
        reason=reason,
        by=staff_actor("grace"),
        now=now,
    )


def record(environment, **said):
    audit.record("user.deleted", environment=environment, subject="mia", **BY_STAFF, **said)


class TestWhatIsToldOf:
    """Each event, as it happens; `EXAMPLES` shows the keys that receivers rely on."""

    def expect(self, event, data):
        assert told(event) == [(event, data)]
        assert set(data) == set(EXAMPLES[event])

    def test_a_ban_that_is_changed_and_lifted(self, environment, webhook):
        ban(environment)
        ban(environment, expires_at=None, reason="abuse", now=NOON + HOUR)
        bans.lift(environment=environment, user_ids=["mia"], **BY_STAFF)
        acted = {"by": "grace", "via": "console"}
        until = (NOON + DAY).isoformat()
        self.expect(
            "user.banned", {"user_id": "mia", "reason": "spam", "expires_at": until, **acted}
        )
        self.expect(
            "user.ban_changed",
            {
                "user_id": "mia",
                "reason": "abuse",
                "expires_at": None,
                "former_reason": "spam",
                "former_expires_at": until,
                **acted,
            },
        )
        self.expect("user.ban_ended", {"user_id": "mia", "cause": "lifted", **acted})

    def test_a_ban_whose_time_is_up(self, environment, webhook):
        make_ban(environment=environment, user_id="mia", expires_at=NOON)
        ban_sweep.expire_due(now=NOON)
        [(_, data)] = told("user.ban_ended")
        assert data == {"user_id": "mia", "cause": "expired", "by": "system", "via": "ban sweep"}

    def test_a_deactivation_once_the_data_is_erased(self, environment, webhook):
        operation = deactivation.deactivate(environment=environment, user_ids=["mia"], **BY_API)
        assert told() == []
        deactivation.erase_pending(now=NOON)
        self.expect(
            "user.deactivated",
            {"user_id": "mia", "operation_id": operation, "by": "system", "via": "erasure"},
        )

    def test_a_reactivation(self, environment, webhook):
        make_deactivated(environment=environment, user_id="mia")
        operation = deactivation.reactivate(environment=environment, user_ids=["mia"], **BY_API)
        by = {"by": "app key 5ca1ab1e", "via": "nexconn user/restore"}
        self.expect("user.reactivated", {"user_id": "mia", "operation_id": operation, **by})

    def test_a_deletion(self, environment, webhook):
        make_user(environment=environment, user_id="mia")
        deletion.delete(environment=environment, user_ids=["mia"], **BY_STAFF)
        self.expect("user.deleted", {"user_id": "mia", "by": "grace", "via": "console"})

    def test_the_quota_at_80_95_and_100_percent(self, environment, webhook):
        make_users(environment=environment, count=79)
        for number in range(21):
            registration.register(environment=environment, user_id=f"new-{number}", now=NOON)
        said = [data for _, data in told("quota.reached")]
        assert [(data["percent"], data["used"]) for data in said] == [
            (80, 80),
            (95, 95),
            (100, 100),
        ]
        assert set(said[0]) == set(EXAMPLES["quota.reached"])

    def test_every_event_has_an_example_and_its_line_in_the_documentation(self):
        assert set(EXAMPLES) == {*EVENTS, TEST}
        written = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
        words = {word for data in EXAMPLES.values() for word in data}
        assert [word for word in (*EXAMPLES, *words) if f"`{word}`" not in written] == []


class TestWhoHears:
    def test_an_endpoint_that_listens_for_the_event_in_that_environment(self, environment):
        ours = make_webhook(environment=environment, events=["user.deleted", "user.banned"])
        make_webhook(environment=environment, events=["user.banned"])
        make_webhook(environment=make_environment(name="Other"))
        disabled = make_webhook(environment=environment)
        type(disabled).objects.filter(pk=disabled.pk).update(
            disabled_at=NOON, disabled_reason="gone"
        )
        record(environment)
        assert [each.webhook for each in Delivery.objects.all()] == [ours]

    def test_all_endpoints_hear_of_one_event_under_one_id(self, environment):
        for _ in range(2):
            make_webhook(environment=environment)
        record(environment)
        record(environment)
        ids = list(Delivery.objects.order_by("pk").values_list("message_id", flat=True))
        assert ids[0] == ids[1] != ids[2] == ids[3]


class TestAtomicity:
    def test_what_is_rolled_back_is_not_told(self, environment, webhook, woken):
        class Halted(Exception):
            pass

        def halt():
            ban(environment)
            assert told("user.banned")
            raise Halted

        with pytest.raises(Halted):
            transaction.atomic(halt)()
        assert told() == []
        assert woken == []

    def test_the_sender_is_woken_at_commit(
        self, environment, webhook, woken, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            record(environment)
            assert woken == []
        assert woken == [("applications.tasks.send_deliveries",)]

    def test_a_broker_that_is_away_fails_nothing(
        self, environment, webhook, monkeypatch, django_capture_on_commit_callbacks
    ):
        def away(*_, **__):
            raise ConnectionError

        monkeypatch.setattr(announcements.current_app, "send_task", away)
        with django_capture_on_commit_callbacks(execute=True):
            record(environment)
        assert len(told()) == 1


class TestCost:
    """By `django_assert_num_queries`: the audit lines' own statement is counted with."""

    def lines(self, environment, type, count):
        return [
            audit.line(
                type,
                by=Actor.system("ban sweep"),
                now=NOON,
                application_id=environment.application_id,
                environment_id=environment.pk,
                subject=f"user-{number}",
            )
            for number in range(count)
        ]

    def test_is_nothing_for_what_nobody_can_hear_of(self, environment, django_assert_num_queries):
        lines = self.lines(environment, "user.updated", 20)
        with django_assert_num_queries(1):
            audit.write(lines)

    def test_is_one_query_where_nobody_listens(self, environment, django_assert_num_queries):
        lines = self.lines(environment, "user.deleted", 20)
        with django_assert_num_queries(2):
            audit.write(lines)

    def test_is_two_where_somebody_does(self, environment, django_assert_num_queries):
        for _ in range(3):
            make_webhook(environment=environment)
        lines = self.lines(environment, "user.deleted", 20)
        with django_assert_num_queries(3):
            audit.write(lines)
        assert Delivery.objects.count() == 60

    def test_is_told_of_lines_of_many_environments_at_once(self, django_assert_num_queries):
        ours = [make_webhook(environment=make_environment(name=name)) for name in ("A", "B")]
        lines = [line for each in ours for line in self.lines(each.environment, "user.deleted", 2)]
        with django_assert_num_queries(3):
            audit.write(lines)
        heard = Delivery.objects.values_list("webhook", flat=True).order_by("pk")
        assert list(heard) == [ours[0].pk] * 2 + [ours[1].pk] * 2
