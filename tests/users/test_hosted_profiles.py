"""Hosted profiles: known fields with bounds, extended ones, merged; gone with their user."""

from contextlib import suppress

import pytest

from applications.models import AuditEvent
from tests.factories import HOUR, NOON, api_actor, make_environment, make_user, staff_actor
from tests.generated import given, st
from users import deletion, hosted_profiles
from users.hosted_profiles import InvalidField
from users.models import Profile
from users.tokens import UnknownUsers


@pytest.fixture
def environment(db):
    environment = make_environment()
    make_user(environment=environment, user_id="ann")
    return environment


def set_fields(environment, now=NOON, user_id="ann", **halves):
    hosted_profiles.set_fields(
        environment=environment, user_id=user_id, by=api_actor(), now=now, **halves
    )


class TestSet:
    def test_merges_and_takes_the_moment_as_its_version(self, environment):
        set_fields(environment, basic={"name": "Ann", "gender": "2"}, extended={"team": "red"})
        set_fields(environment, now=NOON + HOUR, basic={"name": "Anna", "level": 7})

        profile = Profile.objects.get()
        assert profile.basic == {"name": "Anna", "gender": 2, "level": 7}
        assert profile.extended == {"team": "red"}
        assert profile.version == (NOON + HOUR).timestamp() * 1000

    def test_of_what_is_there_already_changes_nothing(self, environment):
        set_fields(environment, basic={"name": "Ann"})
        last = AuditEvent.objects.latest("pk").pk

        set_fields(environment, now=NOON + HOUR, basic={"name": "Ann"})
        assert AuditEvent.objects.latest("pk").pk == last
        assert Profile.objects.get().version == NOON.timestamp() * 1000

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("name", "x" * 65),
            ("name", 7),
            ("email", "a\x00b"),
            ("avatar_url", "x" * 1025),
            ("gender", 3),
            ("gender", True),
            ("gender", 1.0),
            ("gender", "9" * 5000),
            ("role", -1),
            ("level", "\u0661"),
            ("level", None),
            ("shoeSize", "42"),
        ],
    )
    def test_names_the_field_at_fault(self, environment, key, value):
        with pytest.raises(InvalidField) as refused:
            set_fields(environment, basic={"location": "here", key: value})
        assert refused.value.key == key
        assert not Profile.objects.exists()

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("", ""),
            ("x" * 33, ""),
            ("a-b", ""),
            ("a", "x" * 257),
            ("a", 1),
        ],
    )
    def test_holds_extended_fields_to_their_form(self, environment, key, value):
        with pytest.raises(InvalidField) as refused:
            set_fields(environment, extended={key: value})
        assert refused.value.key == key

    def test_counts_extended_fields_together_with_those_there_are(self, environment):
        set_fields(environment, extended={f"field_{number}": "" for number in range(20)})
        set_fields(environment, extended={"field_0": "again"})

        with pytest.raises(InvalidField, match="at most 20"):
            set_fields(environment, extended={"field_20": ""})

    @given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.booleans()))
    def test_takes_or_refuses_whatever_comes(self, fields):
        for check in (hosted_profiles._check_basic, hosted_profiles.check_extended):
            with suppress(InvalidField):
                assert set(check(fields)) == set(fields)

    def test_needs_a_registered_user(self, environment):
        with pytest.raises(UnknownUsers):
            set_fields(environment, user_id="nobody", basic={"name": "N"})


class TestOthers:
    def test_are_listed_as_asked_and_cleared_without_complaint(self, environment):
        make_user(environment=environment, user_id="bob")
        make_user(environment=environment, user_id="cy")
        for user_id in ("ann", "bob"):
            set_fields(environment, user_id=user_id, basic={"name": user_id})

        found = hosted_profiles.get_many(
            environment=environment, user_ids=["bob", "nobody", "cy", "ann"]
        )
        assert [profile.basic["name"] for profile in found] == ["bob", "ann"]
        assert hosted_profiles.users_with_profile(environment).count() == 2

        at = {"environment": environment, "by": api_actor(), "now": NOON}
        hosted_profiles.clear(user_ids=["ann", "cy"], **at)
        assert hosted_profiles.users_with_profile(environment).get().user_id == "bob"
        hosted_profiles.clear(user_ids=["bob", "nobody"], **at)
        assert not Profile.objects.exists()

    def test_go_with_their_user(self, environment):
        set_fields(environment, basic={"name": "Ann"})

        deletion.delete(environment=environment, user_ids=["ann"], by=staff_actor(), now=NOON)
        assert not Profile.objects.exists()
