"""Deactivation and reactivation: by API alone, with one tombstone for each id."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from applications.models import FREE_USER_LIMIT, AuditEvent, Environment
from moderation import gates
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    SECOND,
    api_actor,
    make_ban,
    make_connection,
    make_deactivated,
    make_entry,
    make_environment,
    make_message,
    make_switch,
    make_user,
    make_users,
    staff_actor,
)
from users import deactivation, messages, presence, registration
from users.deactivation import ByApiOnly, CoolingOff
from users.messages import Unread
from users.models import AppUser, DeactivatedUser, Message

pytestmark = pytest.mark.django_db

CALL = {"by": api_actor("nexconn user/deactivate"), "now": NOON}


def deactivate(environment, *user_ids, **at):
    return deactivation.deactivate(environment=environment, user_ids=user_ids, **CALL | at)


def reactivate(environment, *user_ids, **at):
    return deactivation.reactivate(environment=environment, user_ids=user_ids, **CALL | at)


def erase_all():
    while deactivation.erase_pending(now=NOON):
        pass


def write(sender, recipient):
    pair = {"sender_id": sender.user_id, "recipient_id": recipient.user_id}
    make_message(environment=sender.environment, **pair)


def tombstones(environment):
    return set(
        DeactivatedUser.objects.filter(environment=environment).values_list("user_id", flat=True)
    )


class TestWhoMay:
    """Laws 11 and 14: the API alone; the domain refuses staff and their pages."""

    def test_staff_are_refused_both_ways(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        make_deactivated(environment=environment, user_id="gone")
        with pytest.raises(ByApiOnly):
            deactivate(environment, "ada", by=staff_actor())
        with pytest.raises(ByApiOnly):
            reactivate(environment, "gone", by=staff_actor())
        assert tombstones(environment) == {"gone"}


class TestDeactivate:
    """Law 11: logs out everywhere, erases what is the user's own, keeps one tombstone."""

    def test_leaves_the_id_when_and_by_which_call(self):
        environment = make_environment(kind="production")
        make_user(environment=environment, user_id="ada", name="Ada")
        connection = make_connection(environment=environment, user_id="ada")
        operation_id = deactivate(environment, "ada")
        assert not AppUser.objects.filter(environment=environment).exists()
        assert not presence.is_online(environment=environment, user_id="ada", now=NOON)
        connection.refresh_from_db()
        assert (connection.kicked_at, connection.kick_reason) == (NOON, "deactivated")
        tombstone = DeactivatedUser.objects.get(environment=environment)
        assert re.fullmatch(r"([A-Z0-9]{4}-){3}[A-Z0-9]{4}", operation_id)
        assert tombstone.operation_id == operation_id
        assert (tombstone.user_id, tombstone.deactivated_at) == ("ada", NOON)
        assert tombstone.via == "nexconn user/deactivate"

    def test_erases_what_is_their_own_and_keeps_what_protects_others_from_them(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        for model in (BlocklistEntry, AllowlistEntry):
            make_entry(model, environment=environment, owner_id="ada", listed_id="bob")
            make_entry(model, environment=environment, owner_id="bob", listed_id="ada")
        make_switch(environment=environment, owner_id="ada")
        make_ban(environment=environment, user_id="ada")
        deactivate(environment, "ada")
        assert BlocklistEntry.objects.get().owner_id == "bob"
        assert AllowlistEntry.objects.get().owner_id == "bob"
        assert not AllowlistSwitch.objects.exists()
        erase_all()
        tombstone = DeactivatedUser.objects.get()
        assert tombstone.erased_at == NOON
        assert tombstone.erased == {
            "profile": 1,
            "blocklist entries": 1,
            "allowlist entries": 1,
            "allowlist switch": 1,
        }

    def test_is_no_way_out_of_a_ban(self):
        environment = make_environment()
        make_user(environment=environment, user_id="mallory")
        make_ban(environment=environment, user_id="mallory")
        deactivate(environment, "mallory")
        erase_all()
        reactivate(environment, "mallory")
        registration.register(environment=environment, user_id="mallory", now=NOON)
        verdict = gates.may_connect(environment=environment, user_id="mallory", now=NOON)
        assert verdict.rule == "banned"
        assert Ban.objects.open().count() == 1

    def test_of_an_unknown_id_disables_it(self):
        """Law 12: an unknown id may be deactivated."""
        environment = make_environment()
        deactivate(environment, "nobody")
        assert not DeactivatedUser.objects.get().was_registered
        with pytest.raises(registration.UserDeactivated):
            registration.register(environment=environment, user_id="nobody", now=NOON)

    def test_twice_keeps_the_first_tombstone(self):
        environment = make_environment()
        first = deactivate(environment, "ada")
        deactivate(environment, "ada", "bob", now=NOON + HOUR)
        assert DeactivatedUser.objects.get(user_id="ada").operation_id == first
        assert tombstones(environment) == {"ada", "bob"}
        assert AuditEvent.objects.filter(type="user.deactivated", subject="ada").count() == 1

    def test_of_many_does_not_grow_in_queries(self):
        environment = make_environment()
        asked = []
        for prefix, count in (("a", 2), ("b", 50)):
            users = make_users(environment=environment, count=count, prefix=prefix)
            with CaptureQueriesContext(connection) as queries:
                deactivate(environment, *(user.user_id for user in users))
            asked.append(len(queries))
        assert asked[0] == asked[1] <= 25

    def test_twice_in_the_database_is_refused(self):
        environment = make_environment()
        make_deactivated(environment=environment, user_id="ada")
        with pytest.raises(
            IntegrityError, match=r"users_deactivateduser_unique_id|users_deactivateduser.user_id"
        ):
            make_deactivated(environment=environment, user_id="ada")


class TestReactivate:
    """Laws 12 and 13."""

    def test_enables_the_id_and_brings_nothing_back(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada", name="Ada")
        deactivate(environment, "ada")
        reactivate(environment, "ada")
        assert tombstones(environment) == set()
        assert not AppUser.objects.filter(user_id="ada").exists()
        again = registration.register(environment=environment, user_id="ada", now=NOON)
        assert (again.created, AppUser.objects.get(pk=again.life).name) == (True, "")

    def test_takes_no_place_and_the_next_registration_does(self):
        environment = make_environment()
        make_deactivated(environment=environment, user_id="ada")
        make_users(environment=environment, count=FREE_USER_LIMIT)
        reactivate(environment, "ada")
        with pytest.raises(registration.quota.QuotaExceeded):
            registration.register(environment=environment, user_id="ada", now=NOON)

    def test_twice_or_of_an_unknown_id_is_no_error(self):
        environment = make_environment()
        make_deactivated(environment=environment, user_id="ada")
        reactivate(environment, "ada", "nobody")
        reactivate(environment, "ada")
        assert AuditEvent.objects.filter(type="user.reactivated").count() == 1

    def test_erases_first_what_still_waited_for_it_and_what_was_kept_since(self):
        environment = make_environment()
        pair = [make_user(environment=environment, user_id=name) for name in ("ada", "bob")]
        write(*pair)
        operation = deactivate(environment, "ada")
        make_entry(BlocklistEntry, environment=environment, owner_id="ada", listed_id="bob")
        reactivate(environment, "ada")
        assert not Message.objects.exists()
        assert not BlocklistEntry.objects.exists()
        assert AuditEvent.objects.get(type="user.erased").after == {
            "operation": operation,
            "profile": 1,
            "messages": 1,
        }

    def test_is_refused_until_the_cooling_off_time_is_over(self):
        environment = make_environment(reactivation_cooling_off=HOUR)
        deactivate(environment, "ada")
        make_deactivated(environment=environment, user_id="old", deactivated_at=NOON - DAY)
        with pytest.raises(CoolingOff) as refusal:
            reactivate(environment, "old", "ada", now=NOON + HOUR - timedelta(microseconds=1))
        assert (refusal.value.user_ids, refusal.value.until) == (["ada"], NOON + HOUR)
        assert tombstones(environment) == {"ada", "old"}
        reactivate(environment, "old", "ada", now=NOON + HOUR)
        assert tombstones(environment) == set()

    def test_has_no_cooling_off_time_unless_one_is_set(self):
        environment = make_environment()
        deactivate(environment, "ada")
        reactivate(environment, "ada")
        assert tombstones(environment) == set()

    def test_in_one_environment_leaves_the_other_alone(self):
        here, there = make_environment(), make_environment()
        make_deactivated(environment=there, user_id="ada")
        reactivate(here, "ada")
        assert tombstones(there) == {"ada"}


class TestErasure:
    def test_does_a_batch_at_a_time_and_each_once(self):
        environment = make_environment()
        deactivate(environment, "a", "b", "c")
        assert [deactivation.erase_pending(now=NOON, limit=2) for _ in range(3)] == [2, 1, 0]
        assert AuditEvent.objects.filter(type="user.erased").count() == 3

    def test_takes_the_messages_that_nobody_is_given_any_more(self):
        """Law 11: without a worker, nothing from or to the user is given out."""
        environment = make_environment()
        ada, bob, carl = (
            make_user(environment=environment, user_id=name) for name in ("ada", "bob", "carl")
        )
        for sender, recipient in ((ada, bob), (bob, ada), (carl, bob)):
            write(sender, recipient)
        phone = make_connection(environment=environment, user_id="bob")

        def given_out():
            [found] = messages.undelivered([Unread(phone.pk, after=0, limit=10)], now=NOON)
            return [message.sender_id for message in found]

        def waiting(user_id):
            return messages.waiting_count(environment=environment, user_id=user_id, now=NOON)

        assert given_out() == ["ada", "carl"]
        deactivate(environment, "ada")
        assert given_out() == ["carl"]
        assert [waiting("ada"), waiting("bob")] == [0, 1]
        assert messages.recipients_at(gateway=phone.gateway, sent_after=NOON - HOUR) == [
            (environment.pk, "bob")
        ]
        assert Message.objects.count() == 3
        erase_all()
        assert Message.objects.get().sender_id == "carl"
        assert DeactivatedUser.objects.get().erased["messages"] == 2

    def test_that_is_late_is_told_by_its_health(self):
        environment = make_environment()
        assert deactivation.erasure_health(now=NOON).is_well
        deactivate(environment, "ada")
        deactivate(environment, "bob", now=NOON + HOUR)
        late = deactivation.erasure_health(now=NOON + HOUR)
        assert (late.waiting, late.is_well) == (HOUR, False)
        erase_all()
        assert deactivation.erasure_health(now=NOON + HOUR).is_well


class TestRetention:
    """An environment may say that tombstones end; by default they do not (law 12)."""

    def test_an_id_is_enabled_again_after_the_time_and_the_audit_says_so(self, environment):
        for user_id, age in (("old", 60 * DAY), ("young", 60 * DAY - SECOND)):
            make_deactivated(
                environment=environment, user_id=user_id, deactivated_at=NOON - age, erased_at=NOON
            )
        assert deactivation.reactivate_old(now=NOON) == 0
        Environment.objects.filter(pk=environment.pk).update(keep_tombstones=60 * DAY)
        assert deactivation.reactivate_old(now=NOON) == 1
        assert deactivation.reactivate_old(now=NOON) == 0
        assert DeactivatedUser.objects.get().user_id == "young"
        line = AuditEvent.objects.get(type="user.reactivated")
        assert (line.subject, line.via) == ("old", "retention")

    def test_cooling_off_comes_first(self, environment):
        make_deactivated(
            environment=environment, deactivated_at=NOON - 60 * DAY, erased_at=NOON - DAY
        )
        Environment.objects.update(keep_tombstones=30 * DAY, reactivation_cooling_off=90 * DAY)
        assert deactivation.reactivate_old(now=NOON) == 0
