"""Sending for real: to an HTTP server of the test's own."""

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from standardwebhooks import Webhook as Receiving

from applications import deliveries, outbound, tasks, vault, webhooks
from applications.announcements import EXAMPLES
from applications.deliveries import (
    DELAYS,
    JITTER,
    MAX_AGE,
    MAX_PAUSE,
    PARALLEL,
    TURN,
    EndpointDisabled,
)
from applications.models import AuditEvent, Delivery, Webhook
from applications.webhook_formats import STANDARD
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_delivery,
    make_webhook,
    staff_actor,
)
from tests.generated import given, st
from tests.receiver import receiving
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local_webhooks")]

AT = {"by": staff_actor("grace"), "now": NOON}
UNREACHABLE = "http://127.0.0.1:9/"  # the port of a service that nobody runs


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def webhook(environment, receiver):
    return make_webhook(environment=environment, url=receiver.url)


def send(webhook, now=NOON):
    """One turn; whether there was one."""
    turn = deliveries.take_turn(webhook_id=webhook.pk, now=now)
    if turn is None:
        return False
    deliveries.settle(turn, deliveries.send(turn, now=now), now=now)
    webhook.refresh_from_db()
    return True


class TestSchedule:
    """Pure: no receiver, no database."""

    @given(jitters=st.lists(st.floats(-JITTER, JITTER), min_size=len(DELAYS), max_size=len(DELAYS)))
    def test_reaches_over_most_of_three_days_and_not_beyond(self, jitters):
        total = sum(
            (delay * (1 + jitter) for delay, jitter in zip(DELAYS, jitters, strict=True)),
            start=timedelta(0),
        )
        assert timedelta(days=2.4) < total < MAX_AGE

    def test_grows(self):
        assert sorted(DELAYS) == DELAYS

    @given(attempts=st.integers(1, len(DELAYS)))
    def test_spreads_around_each_delay(self, attempts):
        delivery = Delivery(attempts=attempts, queued_at=NOON)
        wait = deliveries.retry_at(delivery, NOON) - NOON
        delay = DELAYS[attempts - 1]
        assert delay * (1 - JITTER) <= wait <= delay * (1 + JITTER)

    def test_ends(self):
        delivery = Delivery(attempts=len(DELAYS) + 1, queued_at=NOON)
        assert deliveries.retry_at(delivery, NOON) is None
        late = Delivery(attempts=1, queued_at=NOON - MAX_AGE)
        assert deliveries.retry_at(late, NOON) is None


class TestTheRequest:
    @pytest.fixture
    def _now(self):
        """The receivers' library reads the clock."""
        with time_machine.travel(NOON, tick=False):
            yield

    @pytest.mark.usefixtures("_now")
    def test_is_verified_with_each_live_secret_by_the_receivers_library(self, webhook, receiver):
        old = vault.decrypt(webhook.secret)
        new = webhooks.rotate_secret(webhook=webhook, **AT)
        delivery = make_delivery(webhook=webhook, occurred_at=NOON - HOUR)
        send(webhook)
        [request] = receiver.received
        for secret in (old, new):
            assert Receiving(secret).verify(request.body, request.headers) == {
                "type": "user.deleted",
                "timestamp": "2026-03-02T11:00:00+00:00",
                "app_key": webhook.environment.app_key,
                "environment": "development",
                "data": {"user_id": "mia"},
            }
        assert request.headers["webhook-id"] == delivery.message_id
        assert request.headers["Content-Type"] == "application/json"

    @pytest.mark.usefixtures("_now")
    def test_survives_any_text(self, webhook, receiver):
        secret = vault.decrypt(webhook.secret)
        make_delivery(webhook=webhook, data={"user_id": "\u2028 ü 🦜 \"'</script>"})
        send(webhook)
        said = Receiving(secret).verify(receiver.received[0].body, receiver.received[0].headers)
        assert said["data"]["user_id"] == "\u2028 ü 🦜 \"'</script>"


class TestAttempt:
    @pytest.mark.parametrize("status", [200, 204, 299])
    def test_that_is_answered_by_2xx_is_the_last(self, webhook, receiver, status):
        receiver.status = status
        delivery = make_delivery(webhook=webhook)
        assert send(webhook)
        assert not send(webhook)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.status) == (Delivery.State.DELIVERED, status)
        assert (delivery.attempts, delivery.finished_at) == (1, NOON)

    @pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
    def test_that_fails_is_repeated_under_the_same_id(self, webhook, receiver, status):
        receiver.statuses = [status]
        delivery = make_delivery(webhook=webhook)
        send(webhook)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.status) == (Delivery.State.WAITING, status)
        assert not send(webhook, NOON + SECOND)
        assert send(webhook, NOON + 10 * SECOND)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == (Delivery.State.DELIVERED, 2)
        ids = {request.headers["webhook-id"] for request in receiver.received}
        assert ids == {delivery.message_id}
        assert len(receiver.received) == 2

    def test_without_an_answer_says_why(self, environment):
        webhook = make_webhook(environment=environment, url=UNREACHABLE)
        delivery = make_delivery(webhook=webhook)
        send(webhook)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.status) == (Delivery.State.WAITING, None)
        assert delivery.error == "The connection was refused"

    def test_at_an_inner_address_is_never_made(self, webhook, receiver, settings):
        delivery = make_delivery(webhook=webhook)
        settings.WEBHOOKS_MAY_BE_LOCAL = False
        Webhook.objects.update(url=receiver.url.replace("http:", "https:"))
        send(webhook)
        delivery.refresh_from_db()
        assert "not public" in delivery.error
        assert receiver.received == []

    def test_is_given_up_after_three_days(self, environment):
        webhook = make_webhook(environment=environment, url=UNREACHABLE)
        delivery = make_delivery(webhook=webhook)
        now = NOON
        while delivery.state == Delivery.State.WAITING:
            Webhook.objects.update(next_turn_at=now)
            assert send(webhook, now)
            delivery.refresh_from_db()
            now = delivery.next_attempt_at
        assert delivery.state == Delivery.State.FAILED
        assert delivery.attempts == len(DELAYS) + 1
        assert timedelta(days=2.4) < delivery.finished_at - NOON < MAX_AGE

    def test_answered_by_410_disables_the_endpoint(self, webhook, receiver):
        receiver.status = 410
        gone, waiting = make_delivery(webhook=webhook), make_delivery(webhook=webhook)
        Delivery.objects.filter(pk=waiting.pk).update(next_attempt_at=NOON + HOUR)
        send(webhook)
        assert webhook.disabled_reason == "It answered 410 Gone"
        for delivery in (gone, waiting):
            delivery.refresh_from_db()
            assert delivery.state == Delivery.State.FAILED
        assert gone.status == 410
        assert AuditEvent.objects.get(type="webhook.disabled").actor == "system"
        assert not send(webhook, NOON + DAY)

    def test_with_a_secret_that_cannot_be_decrypted_waits_for_the_key(self, webhook, settings):
        delivery = make_delivery(webhook=webhook)
        settings.ENCRYPTION_KEYS = ["another"]
        send(webhook)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.WAITING
        assert "cannot be decrypted" in delivery.error

    def test_of_an_event_that_the_format_no_longer_has_words_for(self, webhook, monkeypatch):
        terse = replace(STANDARD, events=())
        monkeypatch.setattr(webhooks, "STANDARD", terse)
        delivery = make_delivery(webhook=webhook)
        send(webhook)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.FAILED
        assert "does not support" in delivery.error

    def test_in_a_format_of_a_vendor_that_is_no_longer_here(self, webhook):
        webhook.format = "departed"
        webhook.save()
        delivery = make_delivery(webhook=webhook)
        send(webhook)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.FAILED


class TestTurn:
    def test_is_one_senders_alone(self, webhook):
        make_delivery(webhook=webhook)
        assert deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
        assert not deliveries.take_turn(webhook_id=webhook.pk, now=NOON + SECOND)

    def test_of_a_sender_that_died_comes_again(self, webhook, receiver):
        make_delivery(webhook=webhook)
        deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
        assert not send(webhook, NOON + TURN - SECOND)
        assert send(webhook, NOON + TURN)
        assert len(receiver.received) == 1

    def test_lost_by_a_slow_sender_changes_nothing_that_is_settled(self, webhook, receiver):
        delivery = make_delivery(webhook=webhook)
        slow = deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
        send(webhook, NOON + TURN)
        third = make_delivery(webhook=webhook)
        held = deliveries.take_turn(webhook_id=webhook.pk, now=NOON + TURN)
        deliveries.settle(slow, [deliveries.Result(status=500)], now=NOON + TURN)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.DELIVERED
        webhook.refresh_from_db()
        assert webhook.next_turn_at == held.until
        assert [each.pk for each in held.batch] == [third.pk]

    def test_whose_endpoint_was_removed_meanwhile(self, webhook):
        make_delivery(webhook=webhook)
        turn = deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
        webhooks.remove(webhook=webhook, **AT)
        deliveries.settle(turn, [deliveries.Result(status=410)], now=NOON)
        assert not Delivery.objects.exists()

    def test_whose_endpoint_was_disabled_meanwhile(self, webhook):
        delivery = make_delivery(webhook=webhook)
        turn = deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
        webhooks.disable(webhook=webhook, reason="Paused", **AT)
        deliveries.settle(turn, [deliveries.Result(status=500)], now=NOON)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.FAILED

    def test_is_not_of_endpoints_without_work(self, webhook):
        make_delivery(webhook=webhook, next_attempt_at=NOON + SECOND)
        assert deliveries.endpoints_with_work(now=NOON) == []
        assert deliveries.endpoints_with_work(now=NOON + SECOND) == [webhook.pk]
        assert not send(webhook)
        assert send(webhook, NOON + SECOND)

    def test_sends_several_at_once(self, webhook, receiver):
        receiver.gate.clear()
        for _ in range(PARALLEL + 1):
            make_delivery(webhook=webhook)
        turn = deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
        assert len(turn.batch) == PARALLEL

        def release():
            eventually(lambda: len(receiver.received) == PARALLEL)
            receiver.gate.set()

        thread = Thread(target=release)
        thread.start()
        assert all(each.is_success for each in deliveries.send(turn, now=NOON))
        thread.join()


class TestRest:
    def test_grows_with_the_time_of_failing(self, environment):
        webhook = make_webhook(environment=environment, url=UNREACHABLE)
        now, rests = NOON, []
        for _ in range(12):
            make_delivery(webhook=webhook, next_attempt_at=now, queued_at=now)
            assert send(webhook, now)
            rests.append(webhook.next_turn_at - now)
            now = webhook.next_turn_at + SECOND
        assert rests == sorted(rests)
        assert rests[0] == timedelta(0)
        assert rests[-1] == MAX_PAUSE
        assert webhook.failing_since == NOON

    def test_ends_with_the_first_success(self, webhook, receiver):
        receiver.statuses = [500]
        make_delivery(webhook=webhook)
        send(webhook)
        assert webhook.failing_since == NOON
        send(webhook, NOON + MINUTE)
        assert webhook.failing_since is None
        assert webhook.next_turn_at == NOON + MINUTE

    def test_of_one_endpoint_is_not_the_others(self, environment, webhook):
        failing = make_webhook(environment=environment, url=UNREACHABLE)
        Webhook.objects.filter(pk=failing.pk).update(next_turn_at=NOON + MINUTE)
        make_delivery(webhook=failing)
        make_delivery(webhook=webhook)
        assert deliveries.endpoints_with_work(now=NOON) == [webhook.pk]


class TestReplay:
    def test_is_a_delivery_of_its_own_under_the_same_id(self, webhook, receiver):
        old = make_delivery(webhook=webhook, occurred_at=NOON - 20 * DAY, queued_at=NOON - 20 * DAY)
        old.state, old.finished_at = Delivery.State.FAILED, NOON - 17 * DAY
        old.save()
        new = deliveries.replay(delivery=old, **AT)
        assert new.pk != old.pk
        send(webhook)
        new.refresh_from_db()
        assert new.state == Delivery.State.DELIVERED
        [request] = receiver.received
        assert request.headers["webhook-id"] == old.message_id
        assert json.loads(request.body)["timestamp"] == (NOON - 20 * DAY).isoformat()
        assert AuditEvent.objects.get(type="webhook.replayed").after["event"] == "user.deleted"

    def test_is_tried_for_three_days_again(self, webhook, receiver):
        receiver.status = 500
        old = make_delivery(webhook=webhook, occurred_at=NOON - 20 * DAY, queued_at=NOON - 20 * DAY)
        new = deliveries.replay(delivery=old, **AT)
        send(webhook)
        new.refresh_from_db()
        assert new.state == Delivery.State.WAITING

    def test_to_a_disabled_endpoint_is_refused(self, webhook):
        delivery = make_delivery(webhook=webhook)
        webhooks.disable(webhook=webhook, reason="Paused", **AT)
        delivery = Delivery.objects.get(pk=delivery.pk)
        with pytest.raises(EndpointDisabled):
            deliveries.replay(delivery=delivery, **AT)
        with pytest.raises(EndpointDisabled):
            deliveries.send_test(webhook=delivery.webhook, **AT)
        assert Delivery.objects.count() == 1
        assert not AuditEvent.objects.filter(type="webhook.replayed").exists()


class TestSendTest:
    def test_sends_what_nobody_mistakes_for_an_event(self, webhook, receiver):
        deliveries.send_test(webhook=webhook, **AT)
        send(webhook)
        said = json.loads(receiver.received[0].body)
        assert (said["type"], said["data"]) == ("webhook.test", {"by": "grace"})

    def test_in_a_format_without_a_word_for_it_sends_an_example(self, webhook, monkeypatch):
        terse = replace(STANDARD, events=("user.banned",))
        monkeypatch.setattr(webhooks, "STANDARD", terse)
        webhook.events = ["user.banned"]
        delivery = deliveries.send_test(webhook=webhook, **AT)
        assert (delivery.event, delivery.data) == ("user.banned", EXAMPLES["user.banned"])


class TestForget:
    def test_drops_what_was_settled_thirty_days_ago(self, webhook):
        ages = {"old": 30 * DAY, "young": 30 * DAY - SECOND}
        for name, age in ages.items():
            make_delivery(
                webhook=webhook,
                message_id=name,
                state=Delivery.State.DELIVERED,
                finished_at=NOON - age,
            )
        make_delivery(webhook=webhook, message_id="waiting", queued_at=NOON - 40 * DAY)
        assert deliveries.forget_old(now=NOON, limit=10) == 1
        kept = set(Delivery.objects.values_list("message_id", flat=True))
        assert kept == {"young", "waiting"}

    def test_gives_up_what_never_had_its_turn(self, webhook):
        old = make_delivery(webhook=webhook, queued_at=NOON - MAX_AGE)
        make_delivery(webhook=webhook, queued_at=NOON - MAX_AGE + SECOND)
        assert deliveries.give_up_old(now=NOON) == 1
        old.refresh_from_db()
        assert (old.state, old.attempts) == (Delivery.State.FAILED, 0)

    def test_settles_what_an_endpoint_left_behind_that_was_removed_meanwhile(self, webhook):
        """A change that announces while somebody removes its endpoint must not fail for it."""
        Delivery.objects.create(
            webhook_id=webhook.pk + 1000,
            message_id="msg",
            event="user.deleted",
            data={},
            occurred_at=NOON - MAX_AGE,
            queued_at=NOON - MAX_AGE,
            next_attempt_at=NOON,
        )
        assert deliveries.endpoints_with_work(now=NOON) == []
        assert deliveries.give_up_old(now=NOON) == 1


class TestTasks:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch):
        """Tasks that tasks start run in place."""
        monkeypatch.setattr(
            tasks.send_to_endpoint,
            "apply_async",
            lambda *, kwargs, **_: tasks.send_to_endpoint(**kwargs),
        )

    def test_send_all_that_is_due_to_everybody(self, environment, webhook, receiver):
        other = make_webhook(environment=environment, url=UNREACHABLE)
        for _ in range(PARALLEL * tasks.TURNS + 1):
            make_delivery(webhook=webhook)
        failing = make_delivery(webhook=other)
        with time_machine.travel(NOON, tick=True):
            tasks.send_deliveries()
        assert not webhook.deliveries.waiting().exists()
        assert len(receiver.received) == PARALLEL * tasks.TURNS + 1
        failing.refresh_from_db()
        assert failing.attempts == 1

    def test_leave_threads_to_other_tasks_while_many_endpoints_hang(self, webhook, receiver):
        make_delivery(webhook=webhook)
        with ExitStack() as hanging, time_machine.travel(NOON, tick=True):
            for _ in range(tasks.AT_ONCE):
                hanging.enter_context(tasks._slots)
            tasks.send_deliveries()
            assert receiver.received == []
        with time_machine.travel(NOON, tick=True):
            tasks.send_deliveries()
        assert len(receiver.received) == 1

    def test_forget(self, webhook):
        make_delivery(webhook=webhook, queued_at=NOON - MAX_AGE)
        make_delivery(webhook=webhook, state="delivered", finished_at=NOON - 31 * DAY)
        with time_machine.travel(NOON):
            tasks.forget_deliveries()
        assert [each.state for each in Delivery.objects.all()] == [Delivery.State.FAILED]


class TestStorm:
    def test_costs_the_same_for_a_turn_however_much_waits(self, webhook, django_assert_num_queries):
        Delivery.objects.bulk_create(
            Delivery(
                webhook=webhook,
                message_id=f"msg_{number}",
                event="user.ban_ended",
                data={"user_id": f"user-{number}"},
                occurred_at=NOON,
                queued_at=NOON,
                next_attempt_at=NOON,
            )
            for number in range(2_000)
        )
        with django_assert_num_queries(10):
            turn = deliveries.take_turn(webhook_id=webhook.pk, now=NOON)
            deliveries.settle(turn, [deliveries.Result(status=200)] * PARALLEL, now=NOON)
        assert webhook.deliveries.waiting().count() == 2_000 - PARALLEL

    def test_a_slow_endpoint_holds_its_own_turn_alone(self, environment, webhook, monkeypatch):
        """What waits for it is not claimed, so others' turns come first and are never late."""
        with receiving() as slow:
            slow.gate.clear()
            stuck = make_webhook(environment=environment, url=slow.url)
            for _ in range(50):
                make_delivery(webhook=stuck)
            deliveries.take_turn(webhook_id=stuck.pk, now=NOON)
            make_delivery(webhook=webhook)
            assert deliveries.endpoints_with_work(now=NOON) == [webhook.pk]
            assert send(webhook)
            Webhook.objects.filter(pk=stuck.pk).update(next_turn_at=NOON)
            monkeypatch.setattr(outbound, "DEADLINE", 0.2)
            assert send(stuck)
            tried = stuck.deliveries.exclude(attempts=0)
            assert tried.count() == PARALLEL
            assert set(tried.values_list("error", flat=True)) == {"No answer in time"}
