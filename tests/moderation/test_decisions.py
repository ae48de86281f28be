"""The statement that decides about bans and the plain form of its law tell the same story."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction

from applications.models import AuditEvent, Delivery
from moderation import ban_sweep, decisions
from moderation.decisions import Terms
from moderation.models import Ban
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    api_actor,
    make_connection,
    make_environment,
    make_gateway,
    make_webhook,
    staff_actor,
)
from tests.generated import given, st
from tests.moderation import plain_decisions
from users import bus
from users.models import Connection

pytestmark = pytest.mark.django_db

IDS = ["ada", "Ada", "bob", "cy"]
BYS = [staff_actor("grace"), api_actor("rongcloud user/block")]
ids = st.lists(st.sampled_from(IDS), max_size=len(IDS), unique=True)
# From now: in force for long, over by a later step, for good.
ends = st.sampled_from([HOUR, timedelta(microseconds=1_500), 9 * DAY, None])
terms = st.tuples(ends, st.sampled_from(["", "spam", 'a "b" \\ é']), st.booleans(), st.booleans())
steps = st.one_of(
    st.tuples(
        st.just("impose"),
        st.dictionaries(st.sampled_from(IDS), terms, max_size=len(IDS)),
        st.sampled_from(BYS),
    ),
    st.tuples(st.just("lift"), ids, st.sampled_from(BYS)),
    st.tuples(st.just("connect"), st.sampled_from(IDS)),
    st.tuples(st.just("wait"), st.sampled_from([timedelta(milliseconds=1, microseconds=500), DAY])),
    st.tuples(st.just("webhook"), st.booleans()),
)
LEDGER = [
    each.attname for each in Ban._meta.concrete_fields if each.name not in {"id", "environment"}
]
TRAIL = [
    each.attname
    for each in AuditEvent._meta.concrete_fields
    if each.name not in {"id", "environment", "application"}
]
KICKS = ["user_id", "device", "kicked_at", "kick_reason", "kick_until", "kick_why"]


class World:
    """An environment in which one of the two forms decides."""

    def __init__(self, form):
        self.form = form
        self.environment = make_environment(kind="production")
        make_environment()  # keys of environment and application differ
        self.gateway = make_gateway()
        self.webhook = None
        self.now = NOON

    def take(self, step):
        """What the step answers."""
        word, *values = step
        if word == "wait":
            self.now += values[0]
        elif word == "connect":
            make_connection(environment=self.environment, user_id=values[0], gateway=self.gateway)
        elif word == "webhook":
            if self.webhook is None:
                self.webhook = make_webhook(environment=self.environment)
            disabled = {"disabled_at": None, "disabled_reason": ""}
            if not values[0]:
                disabled = {"disabled_at": NOON, "disabled_reason": "by hand"}
            type(self.webhook).objects.filter(pk=self.webhook.pk).update(**disabled)
        elif word == "lift":
            return sorted(self.form.lift(self.environment, values[0], by=values[1], now=self.now))
        else:
            return self._impose(*values)
        return None

    def _impose(self, wanted, by):
        terms = {
            user_id: Terms(
                expires_at=self.now + lasts if lasts else None,
                reason=reason,
                tell_reason=told,
                since=self.now - DAY if goes_on else None,
            )
            for user_id, (lasts, reason, told, goes_on) in wanted.items()
        }
        bans = self.form.impose(self.environment, terms, by=by, now=self.now)
        for ban in bans:
            [since] = Ban.objects.filter(pk=ban.ban_id).values_list("banned_since", flat=True)
            assert since == ban.banned_since
        return [ban.user_id for ban in bans]

    def told(self):
        """Every table, but for the keys."""
        own = {"environment": self.environment}
        lines = AuditEvent.objects.filter(type__startswith="ban.", **own)
        return (
            list(Ban.objects.filter(**own).order_by("user_id", "pk").values(*LEDGER)),
            list(lines.order_by("pk").values(*TRAIL)),
            list(Connection.objects.filter(**own).order_by("pk").values(*KICKS)),
            list(
                Delivery.objects.filter(webhook__environment=self.environment)
                .order_by("pk")
                .values("event", "data", "occurred_at", "queued_at", "next_attempt_at")
            ),
        )


@given(story=st.lists(steps, min_size=1, max_size=8))
def test_both_forms_tell_the_same_story(story):
    swift, plain = World(decisions), World(plain_decisions)
    for step in story:
        assert swift.take(step) == plain.take(step), step
        assert swift.told() == plain.told(), step


@given(story=st.lists(steps, min_size=1, max_size=8))
def test_both_forms_sweep_alike(story):
    world = World(decisions)
    for step in story:
        world.take(step)
    said = []
    for sweep in (ban_sweep.expire_due, plain_decisions.expire_due):
        with suppress(Undone), transaction.atomic():
            said.append((sweep(now=world.now), world.told()))
            raise Undone
    assert said[0] == said[1]


class Undone(Exception):
    pass


@pytest.mark.django_db(transaction=True)
class TestOutsideATransaction:
    def test_it_is_one_statement(self, django_assert_num_queries):
        environment = make_environment()
        with django_assert_num_queries(1):
            decisions.impose(environment, {"ada": Terms()}, by=BYS[0], now=NOON)
        with django_assert_num_queries(1):
            decisions.lift(environment, ["ada"], by=BYS[0], now=NOON)
        assert [ban.outcome for ban in Ban.objects.all()] == ["lifted"]

    def test_a_webhook_hears_of_it_in_the_same_transaction(self, monkeypatch):
        environment = make_environment()
        make_webhook(environment=environment)
        decisions.impose(environment, {"ada": Terms()}, by=BYS[0], now=NOON)
        assert [each.event for each in Delivery.objects.all()] == ["user.banned"]

        def fail(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr(Delivery.objects, "bulk_create", fail)
        with pytest.raises(ZeroDivisionError):
            decisions.lift(environment, ["ada"], by=BYS[0], now=NOON)
        assert [ban.outcome for ban in Ban.objects.all()] == [""]

    def test_gateways_are_told_after_it(self, monkeypatch):
        environment = make_environment()
        held = make_connection(environment=environment, user_id="ada")
        heard = []

        def hear(message):
            assert not connection.in_atomic_block
            heard.append(json.loads(json.dumps(message)))

        monkeypatch.setattr(bus, "_send", hear)
        told = Terms(NOON + DAY, "spam", tell_reason=True)
        decisions.impose(environment, {"ada": told}, by=BYS[0], now=NOON)

        assert heard == [
            {
                "kind": "kick",
                "connections": [held.pk],
                "reason": "banned",
                "until": (NOON + DAY).isoformat(),
                "why": "spam",
            }
        ]
