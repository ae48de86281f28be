"""Attributes: 2 KB of key-value pairs, for ids registered or not."""

import pytest

from tests.factories import NOON, api_actor, make_environment
from users import attributes
from users.attributes import AttributesTooLarge, InvalidAttribute
from users.models import Attributes

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return {"environment": make_environment(), "by": api_actor(), "now": NOON}


def merge(here, user_id="ann", **values):
    return attributes.merge(user_id=user_id, values=values, **here)


class TestMerge:
    def test_adds_to_what_is_there_and_an_empty_value_removes(self, here):
        merge(here, mood="good", hat="red")
        assert merge(here, hat="", shoes="blue") == {"mood": "good", "shoes": "blue"}
        assert attributes.get(environment=here["environment"], user_id="ann") == {
            "mood": "good",
            "shoes": "blue",
        }

    def test_takes_2_048_bytes_as_json_and_not_one_more(self, here):
        assert merge(here, k="é" * ((2048 - len('{"k":""}')) // 2))
        assert attributes.bytes_used(environment=here["environment"]) == 2048
        with pytest.raises(AttributesTooLarge):
            merge(here, m="x")
        assert Attributes.objects.get().size == 2048

    @pytest.mark.parametrize("key", ["", "a\x00b", "\ud800"])
    def test_takes_no_key_that_cannot_be_stored(self, here, key):
        with pytest.raises(InvalidAttribute):
            merge(here, **{key: "x"})


class TestOthers:
    def test_are_each_users_own_and_cleared_twice_without_complaint(self, here):
        merge(here, mood="good")
        merge(here, user_id="bob", mood="bad")
        for _ in range(2):
            attributes.clear(user_id="ann", **here)

        found = attributes.get_many(environment=here["environment"], user_ids=["ann", "bob"])
        assert found == {"bob": {"mood": "bad"}}
        assert attributes.bytes_used(environment=make_environment()) == 0
