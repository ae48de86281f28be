"""The gates. Law 29: yes, or no with a named reason and what would change it; and they only ask."""

import pytest

from moderation import bans, gates, mutes
from moderation.lists import allowlist, blocklist, switch_allowlist
from moderation.models import AllowlistEntry, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_ban,
    make_deactivated,
    make_entry,
    make_environment,
    make_message,
    make_switch,
    make_user,
    staff_actor,
)
from users import friends, messages

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}


def connect(environment, user_id="ada", at=NOON):
    return gates.may_connect(environment=environment, user_id=user_id, now=at)


class TestMayConnect:
    """Laws 12, 20 and 29."""

    def test_a_registered_user_with_no_ban(self, django_assert_num_queries):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        with django_assert_num_queries(1):
            verdict = connect(environment)
        assert (verdict.allowed, verdict.rule) == (True, "registered")

    def test_not_while_a_ban_is_in_force_and_again_when_time_has_ended_it(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        make_ban(environment=environment, user_id="ada", expires_at=NOON + HOUR)
        verdict = connect(environment)
        assert (verdict.allowed, verdict.rule) == (False, "banned")
        assert verdict.until == NOON + HOUR
        assert verdict.explanation == "ada is banned until 2026-03-02 13:00:00 UTC."
        assert verdict.remedy == "Lift the ban, or wait until it ends."
        assert "grace" not in str(verdict), "who banned is for staff alone"
        assert connect(environment, at=NOON + HOUR).allowed

    def test_not_for_good_unless_the_ban_is_lifted(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        make_ban(environment=environment, user_id="ada", expires_at=None)
        verdict = connect(environment, at=NOON + 3_650 * DAY)
        assert (verdict.rule, verdict.until, verdict.remedy) == ("banned", None, "Lift the ban.")
        bans.lift(environment=environment, user_ids=["ada"], **AT)
        assert connect(environment).allowed

    def test_says_the_reason_of_a_ban_only_where_staff_chose_to_tell_it(self):
        environment = make_environment()
        ban = {"environment": environment, "user_ids": ["ada"], "expires_at": None, **AT}
        bans.impose(**ban, reason="spam")
        assert connect(environment).why == ""
        bans.impose(**ban, reason="spam", tell_reason=True)
        assert connect(environment).why == "spam"

    def test_not_with_a_deactivated_or_an_unknown_id(self):
        environment = make_environment()
        make_deactivated(environment=environment, user_id="gone")
        make_user(environment=make_environment(), user_id="elsewhere")
        for user_id, rule in (
            ("gone", "deactivated"),
            ("nobody", "not_registered"),
            ("elsewhere", "not_registered"),
        ):
            verdict = connect(environment, user_id)
            assert (verdict.allowed, verdict.rule) == (False, rule)
            assert verdict.explanation
            assert verdict.remedy

    def test_a_ban_elsewhere_keeps_nobody_out(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        make_ban(environment=make_environment(), user_id="ada")
        assert connect(environment).allowed


def with_users(**settings):
    """An environment with the users of these stories."""
    environment = make_environment(**settings)
    for user_id in ("ada", "bob", "carl", "mallory"):
        make_user(environment=environment, user_id=user_id)
    return environment


def message(environment, sender_id, recipient_id):
    return gates.may_message(
        environment=environment, sender_id=sender_id, recipient_id=recipient_id, now=NOON
    )


class TestMayMessage:
    """Laws 26 to 29."""

    def test_anybody_may_write_to_anybody(self):
        assert message(with_users(), "ada", "bob").rule == "open"

    def test_who_may_not_connect_cannot_write(self):
        environment = with_users()
        make_ban(environment=environment, user_id="mallory", expires_at=NOON + HOUR)
        make_deactivated(environment=environment, user_id="gone")
        for sender_id in ("mallory", "gone", "nobody"):
            refused = message(environment, sender_id, "bob")
            assert not refused.allowed
            assert refused == connect(environment, sender_id)
        # They can be written to: what is written waits until the ban is over.
        assert message(environment, "bob", "mallory").allowed

    def test_nobody_writes_to_an_id_that_is_not_registered(self):
        environment = with_users()
        make_deactivated(environment=environment, user_id="gone")
        make_user(environment=make_environment(), user_id="elsewhere")
        for recipient_id, rule in (
            ("gone", "recipient_deactivated"),
            ("nobody", "unknown_user"),
            ("elsewhere", "unknown_user"),
        ):
            refused = message(environment, "ada", recipient_id)
            assert (refused.allowed, refused.rule) == (False, rule)
            assert refused.remedy

    def test_a_full_mailbox_takes_no_more(self, monkeypatch):
        environment = with_users()
        monkeypatch.setattr(messages, "MAX_WAITING", 1)
        assert message(environment, "ada", "bob").allowed
        make_message(environment=environment, sender_id="ada", recipient_id="bob")
        refused = message(environment, "ada", "bob")
        assert (refused.allowed, refused.rule) == (False, "mailbox_full")

    def test_who_is_on_the_blocklist_cannot_write_to_its_owner_who_still_can_to_them(self):
        environment = with_users()
        blocklist.add(environment=environment, owner_id="ada", listed_ids=["mallory"], **AT)
        refused = message(environment, "mallory", "ada")
        assert (refused.allowed, refused.rule) == (False, "blocked")
        assert refused.remedy == "Remove mallory from ada's blocklist."
        assert message(environment, "ada", "mallory").allowed
        assert message(environment, "bob", "ada").allowed

    def test_an_allowlist_is_nothing_until_it_is_switched_on(self):
        environment = with_users()
        allowlist.add(environment=environment, owner_id="ada", listed_ids=["bob"], **AT)
        assert message(environment, "carl", "ada").allowed
        switch_allowlist(environment=environment, owner_ids=["ada"], on=True, **AT)
        assert message(environment, "bob", "ada").rule == "on_allowlist"
        assert message(environment, "carl", "ada").rule == "not_on_allowlist"
        assert message(environment, "ada", "carl").allowed

    def test_a_muted_user_reaches_nobody_until_time_ends_it(self):
        environment = with_users()
        mute = {"environment": environment, "user_ids": ["ada"], "channel": Mute.Channel.DIRECT}
        mutes.impose(expires_at=NOON + HOUR, **mute, **AT)
        refused = message(environment, "ada", "bob")
        assert (refused.rule, refused.until) == ("muted", NOON + HOUR)
        assert message(environment, "bob", "ada").allowed
        mutes.lift(**mute, **AT)
        assert message(environment, "ada", "bob").allowed
        mutes.impose(**mute | {"channel": Mute.Channel.GROUP}, expires_at=None, **AT)
        assert message(environment, "ada", "bob").allowed

    def test_where_only_friends_may_write_nobody_else_gets_through(self):
        """Law 28."""
        environment = with_users(friends_only=True)
        assert message(environment, "ada", "bob").rule == "not_friends"
        friends.add(environment=environment, user_id="ada", friend_id="bob", direct=True, **AT)
        assert message(environment, "ada", "bob").allowed
        assert message(environment, "bob", "ada").allowed
        blocklist.add(environment=environment, owner_id="ada", listed_ids=["bob"], **AT)
        assert message(environment, "bob", "ada").rule == "blocked"
        friends.remove(environment=environment, user_id="ada", friend_ids=["bob"], **AT)
        assert message(environment, "ada", "bob").rule == "not_friends"

    # Who has the switch on, who is on whose allowlist, who is on whose blocklist: may ada write
    # to bob? The whole table of the rules.
    @pytest.mark.parametrize(
        ("on", "allows", "blocks", "rule"),
        [
            ("", "", "", "open"),
            ("", "", "bob:ada", "blocked"),
            ("", "", "ada:bob", "open"),
            ("", "bob:ada", "bob:ada", "blocked"),
            ("bob", "", "", "not_on_allowlist"),
            ("bob", "bob:ada", "", "on_allowlist"),
            ("bob", "bob:ada", "bob:ada", "on_allowlist"),  # the blocklist rests
            ("bob", "ada:bob", "", "not_on_allowlist"),
            ("ada", "", "", "open"),
            ("ada", "", "bob:ada", "blocked"),
            ("ada bob", "bob:ada", "", "not_on_allowlist"),  # each must list the other
            ("ada bob", "ada:bob", "", "not_on_allowlist"),
            ("ada bob", "ada:bob bob:ada", "", "on_allowlist"),
            ("ada bob", "ada:bob bob:ada", "bob:ada ada:bob", "on_allowlist"),
        ],
    )
    def test_follows_the_table(self, on, allows, blocks, rule, django_assert_num_queries):
        environment = with_users()
        for owner_id in on.split():
            make_switch(environment=environment, owner_id=owner_id)
        for model, pairs in ((AllowlistEntry, allows), (BlocklistEntry, blocks)):
            for pair in pairs.split():
                owner_id, listed_id = pair.split(":")
                make_entry(model, environment=environment, owner_id=owner_id, listed_id=listed_id)
        with django_assert_num_queries(1):
            verdict = message(environment, "ada", "bob")
        assert verdict.rule == rule
        assert verdict.allowed == (rule in {"open", "on_allowlist"})
        assert verdict.allowed or verdict.remedy
