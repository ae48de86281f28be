"""The answers to "why?" agree with what the gates decide, whatever the state of two users."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.evidence import State, first_refusal
from applications.models import AuditEvent
from moderation import bans, evidence, gates, pair_evidence
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_application,
    make_ban,
    make_connection,
    make_deactivated,
    make_entry,
    make_environment,
    make_switch,
    make_token,
    make_user,
    staff_actor,
)
from users import deletion, presence, tokens
from users.models import AppUser, Connection, DeactivatedUser, Friendship

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor(), "now": NOON}
KNOWN = st.sampled_from(["registered", "deactivated", "unknown"])


def of_user(environment, user_id="ada"):
    return evidence.of_user(environment=environment, user_id=user_id, now=NOON)


def of_pair(environment, sender_id="ada", recipient_id="bob"):
    return pair_evidence.of_pair(
        environment=environment, sender_id=sender_id, recipient_id=recipient_id, now=NOON
    )


def of_token(environment, token, nameable=()):
    return evidence.of_token(environment=environment, token=token, nameable=nameable, now=NOON)


def clear(environment):
    for model in (
        *(AppUser, DeactivatedUser, Ban, Mute, Friendship),
        *(AllowlistEntry, BlocklistEntry, AllowlistSwitch),
    ):
        model.objects.filter(environment=environment).delete()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    known=st.tuples(KNOWN, KNOWN),
    facts=st.sets(
        st.sampled_from(
            [
                "banned",
                "ban over",
                "muted",
                "mute over",
                "friends only",
                "friends",
                "strict",
                "both strict",
                "allowed",
                "allowed back",
                "blocked",
            ]
        )
    ),
)
def test_the_first_rule_that_refuses_is_the_one_that_the_gate_names(environment, known, facts):
    clear(environment)
    here: dict[str, Any] = {"environment": environment}
    for user_id, state in zip(("ada", "bob"), known, strict=True):
        if state == "registered":
            make_user(**here, user_id=user_id)
        elif state == "deactivated":
            make_deactivated(**here, user_id=user_id)
    if facts & {"banned", "ban over"}:
        end = NOON + DAY if "banned" in facts else NOON
        make_ban(**here, user_id="ada", imposed_at=NOON - DAY, expires_at=end)
    if facts & {"muted", "mute over"}:
        Mute.objects.create(
            **here,
            user_id="ada",
            channel="direct",
            imposed_at=NOON - DAY,
            imposed_by="grace",
            expires_at=None if "muted" in facts else NOON,
        )
    environment.friends_only = "friends only" in facts
    environment.save()
    if "friends" in facts:
        for one, other in (("ada", "bob"), ("bob", "ada")):
            Friendship.objects.create(**here, owner_id=one, friend_id=other, added_at=NOON)
    if facts & {"strict", "both strict"}:
        make_switch(**here, owner_id="bob")
    if "both strict" in facts:
        make_switch(**here, owner_id="ada")
    if "allowed" in facts:
        make_entry(AllowlistEntry, **here, owner_id="bob", listed_id="ada")
    if "allowed back" in facts:
        make_entry(AllowlistEntry, **here, owner_id="ada", listed_id="bob")
    if "blocked" in facts:
        make_entry(BlocklistEntry, **here, owner_id="bob", listed_id="ada")

    for user_id in ("ada", "bob"):
        verdict = gates.may_connect(**here, user_id=user_id, now=NOON)
        answer = of_user(environment, user_id)
        refusal = first_refusal(answer.steps)
        assert answer.allowed == verdict.allowed
        assert (refusal.rule if refusal else "registered") == verdict.rule
    for one, other in (("ada", "bob"), ("bob", "ada")):
        verdict = gates.may_message(**here, sender_id=one, recipient_id=other, now=NOON)
        answer = of_pair(environment, one, other)
        refusal = first_refusal(answer.steps)
        assert answer.allowed == verdict.allowed
        assert (refusal.rule if refusal else "") == ("" if verdict.allowed else verdict.rule)


def refusal_of(answer):
    assert answer.allowed is False
    return first_refusal(answer.steps)


class TestToken:
    def test_that_is_valid_lets_its_user_connect(self, environment):
        token = make_token(make_user(environment=environment, user_id="ada"))
        answer = of_token(environment, token)
        assert answer.allowed is True
        assert {step.state for step in answer.steps} == {State.HOLDS}

    def test_that_is_damaged_is_not_of_this_installation(self, environment):
        token = make_token(make_user(environment=environment))
        assert refusal_of(of_token(environment, token[:-3] + "AAA")).rule == "readable"
        assert refusal_of(of_token(environment, "x" * 10_000)).rule == "readable"

    def test_that_has_expired_says_when(self, environment):
        user = make_user(environment=environment)
        token = tokens.issue(user, now=NOON - HOUR, lifetime=timedelta(minutes=5))
        step = refusal_of(of_token(environment, token))
        assert (step.rule, step.facts["expired"]) == ("lifetime", NOON - HOUR + 5 * MINUTE)

    def test_of_another_environment_names_it_only_to_who_may_know(self):
        application = make_application()
        here = make_environment(application=application)
        there = make_environment(application=application, kind="production")
        token = make_token(make_user(environment=there))

        told = refusal_of(of_token(here, token, nameable=[application.pk]))
        untold = refusal_of(of_token(make_environment(), token))

        assert told.rule == untold.rule == "environment"
        assert there.full_name in told.explanation
        assert there.application.org_name not in untold.explanation
        assert told.about["kind"] == "production"

    def test_of_an_earlier_life_says_who_deleted_the_user(self, environment):
        token = make_token(make_user(environment=environment, user_id="ada"), now=NOON - HOUR)
        deletion.delete(environment=environment, user_ids=["ada"], **AT)
        make_user(environment=environment, user_id="ada")

        step = refusal_of(of_token(environment, token))

        assert step.rule == "life"
        assert "deleted" in step.explanation
        assert (step.facts["by"], step.facts["at"]) == ("grace", NOON)

    @pytest.mark.parametrize("everybody", [True, False])
    def test_that_is_revoked_says_by_which_act(self, environment, everybody):
        user = make_user(environment=environment, user_id="ada")
        token = make_token(user, now=NOON - HOUR)
        if everybody:
            tokens.revoke_all(environment=environment, **AT)
        else:
            tokens.expire(environment=environment, user_ids=["ada"], before=NOON, **AT)

        step = refusal_of(of_token(environment, token))

        assert step.rule == "revoked"
        assert ("everybody" in step.explanation) is everybody
        assert step.facts["by"] == "grace"

    def test_is_refused_exactly_where_admission_refuses_it(self, environment):
        user = make_user(environment=environment, user_id="ada")
        for minutes in (-1, 0, 1):
            issued = NOON - HOUR + minutes * MINUTE
            user.tokens_valid_from = NOON - HOUR
            user.save()
            token = tokens.issue(user, now=issued)
            try:
                tokens.authenticate(environment=environment, token=token, now=NOON)
                accepted = True
            except tokens.TokenRefused:
                accepted = False
            assert of_token(environment, token).allowed is accepted


class TestUser:
    def test_banned_says_by_which_line_of_the_ledger(self, environment):
        make_user(environment=environment, user_id="ada")
        [ban] = bans.impose(
            environment=environment, user_ids=["ada"], expires_at=NOON + DAY, reason="spam", **AT
        )
        step = refusal_of(of_user(environment))
        assert step.mend == "lift_ban"
        assert step.facts["until"] == NOON + DAY
        assert step.facts["reason"] == "spam"
        assert step.facts["line of the ledger"] == ban.ban_id
        line = AuditEvent.objects.get(type="ban.imposed")
        assert step.facts["by"] == line.actor

    def test_unknown_is_an_answer_that_names_the_other_environment(self):
        application = make_application()
        here = make_environment(application=application)
        there = make_environment(application=application, kind="production")
        make_user(environment=there, user_id="ada")
        step = refusal_of(of_user(here))
        assert (step.rule, step.facts["registered in"]) == ("not_registered", there.full_name)

    def test_unknown_is_an_answer_that_names_another_spelling(self, environment):
        make_user(environment=environment, user_id="Ada")
        assert refusal_of(of_user(environment)).facts["registered spelling"] == "Ada"

    def test_with_too_many_connections_is_refused_like_by_the_gateway(self, environment):
        make_user(environment=environment, user_id="ada")
        for _ in range(presence.MAX_CONNECTIONS):
            make_connection(environment=environment, user_id="ada")
        assert refusal_of(of_user(environment)).rule == "too_many_connections"
        Connection.objects.all()[0].delete()
        assert of_user(environment).allowed is True
