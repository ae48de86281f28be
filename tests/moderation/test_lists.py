"""Blocklists and allowlists."""

import pytest
from django.db import IntegrityError

from applications.models import AuditEvent
from moderation import lists
from moderation.lists import (
    MAX_ENTRIES,
    ListFull,
    ListsOneself,
    allowlist,
    allowlists_on,
    blocklist,
    switch_allowlist,
)
from moderation.models import AllowlistSwitch
from tests.factories import NOON, make_entry, make_environment, make_switch, staff_actor
from tests.generated import given, st
from users.identity import InvalidUserId

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}
BOTH = pytest.mark.parametrize("kind", [blocklist, allowlist], ids=["blocklist", "allowlist"])

# What can happen to a list: add, or remove, these.
STEPS = st.lists(
    st.tuples(st.booleans(), st.sets(st.sampled_from("bcdef"), max_size=3)), max_size=8
)


def add(kind, environment, *listed_ids, owner_id="ada"):
    return kind.add(environment=environment, owner_id=owner_id, listed_ids=listed_ids, **AT)


def remove(kind, environment, *listed_ids, owner_id="ada"):
    return kind.remove(environment=environment, owner_id=owner_id, listed_ids=listed_ids, **AT)


def listed(kind, environment, owner_id="ada", newest_first=True):
    page = kind.page(
        environment=environment, owner_id=owner_id, size=5_000, newest_first=newest_first
    )
    return [entry.listed_id for entry in page.rows]


@BOTH
class TestLists:
    """Laws 24, 26 and 27: lists of ids, registered or not."""

    def test_hold_whom_their_owner_added_newest_first(self, kind):
        environment = make_environment()
        assert add(kind, environment, "b", "a") == ["b", "a"]
        assert add(kind, environment, "c") == ["c"]
        assert listed(kind, environment) == ["c", "a", "b"]
        assert listed(kind, environment, newest_first=False) == ["b", "a", "c"]

    def test_of_two_owners_and_two_environments_have_nothing_in_common(self, kind):
        environment = make_environment()
        add(kind, environment, "mallory")
        assert listed(kind, environment, owner_id="bob") == []
        assert listed(kind, make_environment()) == []

    def test_say_what_changed_and_leave_no_line_where_nothing_did(self, kind):
        environment = make_environment()
        add(kind, environment, "a", "b")
        assert add(kind, environment, "a", "c", "c") == ["c"]
        assert add(kind, environment, "a") == []
        assert remove(kind, environment, "a", "nobody") == ["a"]
        assert remove(kind, environment, "a") == []
        lines = AuditEvent.objects.filter(type__in=[kind.added, kind.removed]).order_by("pk")
        assert [(line.type, line.before, line.after) for line in lines] == [
            (kind.added, None, {"listed": ["a", "b"]}),
            (kind.added, None, {"listed": ["c"]}),
            (kind.removed, {"listed": ["a"]}, None),
        ]
        assert {line.subject for line in lines} == {"ada"}

    def test_refuse_their_owner_and_what_is_no_id_as_a_whole(self, kind):
        environment = make_environment()
        with pytest.raises(ListsOneself):
            add(kind, environment, "bob", "ada")
        with pytest.raises(InvalidUserId):
            add(kind, environment, "bob", "not/an/id")
        with pytest.raises(InvalidUserId):
            add(kind, environment, "bob", owner_id="not/an/id")
        assert listed(kind, environment) == []

    def test_are_full_at_3000_and_take_none_of_what_does_not_fit(self, kind):
        assert MAX_ENTRIES == 3_000
        environment = make_environment()
        add(kind, environment, *(f"user-{number}" for number in range(MAX_ENTRIES - 1)))
        with pytest.raises(ListFull):
            add(kind, environment, "one", "two")
        assert add(kind, environment, "one") == ["one"]
        assert add(kind, environment, "one", "user-1") == []
        with pytest.raises(ListFull, match=r"3,000"):
            add(kind, environment, "two")
        assert add(kind, environment, "two", owner_id="bob") == ["two"]
        remove(kind, environment, "one")
        assert add(kind, environment, "two") == ["two"]

    def test_cost_the_same_whatever_they_hold(self, kind, django_assert_num_queries):
        environment = make_environment()
        counts = []
        for size in (1, 50):
            with django_assert_num_queries(8, exact=False) as queries:
                add(kind, environment, *(f"{size}-{number}" for number in range(size)))
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_hold_nobody_twice_and_never_their_owner_says_the_database(self, kind):
        row = {"environment": make_environment(), "owner_id": "ada"}
        name = kind.model._meta.model_name
        with pytest.raises(IntegrityError, match=f"moderation_{name}_not_oneself"):
            make_entry(kind.model, listed_id="ada", **row)

    def test_hold_nobody_twice_says_the_database(self, kind):
        row = {"environment": make_environment(), "owner_id": "ada", "listed_id": "bob"}
        make_entry(kind.model, **row)
        name = kind.model._meta.model_name
        with pytest.raises(IntegrityError, match=rf"moderation_{name}(_once|.owner_id)"):
            make_entry(kind.model, **row)

    @given(
        st.lists(
            st.tuples(st.booleans(), st.sets(st.sampled_from("bcdef"), max_size=3)), max_size=8
        )
    )
    def test_are_what_a_set_would_be(self, kind, steps):
        environment, model = make_environment(), set()
        for adding, ids in steps:
            changed = (add if adding else remove)(kind, environment, *sorted(ids))
            assert set(changed) == (ids - model if adding else ids & model)
            model = model | ids if adding else model - ids
        assert set(listed(kind, environment)) == model


class TestSwitch:
    """Law 27: an allowlist is in force only once its owner's switch is on."""

    def switch(self, environment, *owner_ids, on):
        return switch_allowlist(environment=environment, owner_ids=owner_ids, on=on, **AT)

    def test_says_for_whom_it_was_a_change(self):
        environment = make_environment()
        ask = {"environment": environment, "owner_ids": ["ada", "bob", "carl"]}
        assert self.switch(environment, "ada", on=True) == ["ada"]
        assert self.switch(environment, "bob", "ada", on=True) == ["bob"]
        assert allowlists_on(**ask) == {"ada", "bob"}
        assert self.switch(environment, "ada", "carl", on=False) == ["ada"]
        assert allowlists_on(**ask) == {"bob"}
        lines = AuditEvent.objects.filter(type="allowlist.switched").order_by("pk")
        assert [(line.subject, line.before, line.after) for line in lines] == [
            ("ada", {"on": False}, {"on": True}),
            ("bob", {"on": False}, {"on": True}),
            ("ada", {"on": True}, {"on": False}),
        ]

    def test_keeps_the_list_itself(self):
        environment = make_environment()
        add(allowlist, environment, "bob")
        self.switch(environment, "ada", on=True)
        self.switch(environment, "ada", on=False)
        assert listed(allowlist, environment) == ["bob"]

    def test_is_on_once_says_the_database(self):
        environment = make_environment()
        make_switch(environment=environment, owner_id="ada")
        with pytest.raises(
            IntegrityError,
            match=r"moderation_allowlistswitch_once|moderation_allowlistswitch.owner_id",
        ):
            AllowlistSwitch.objects.create(
                environment=environment, owner_id="ada", switched_on_at=NOON
            )


def test_pages_of_a_list_go_on_where_the_last_one_ended():
    environment = make_environment()
    add(blocklist, environment, *"bcdefg")
    at = {"environment": environment, "owner_id": "ada", "size": 4}
    first = blocklist.page(**at)
    second = blocklist.page(cursor=first.next or "", **at)
    assert [entry.listed_id for page in (first, second) for entry in page.rows] == list("gfedcb")
    assert lists.NEWEST_FIRST.columns == ("-id",)
