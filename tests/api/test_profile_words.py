"""The vendors' names of the fields of hosted profiles are not stored."""

import json

import pytest

from tests.factories import make_user
from users.models import Profile


@pytest.fixture
def ann(environment):
    return make_user(environment=environment, user_id="ann")


def test_are_the_same_for_both_vendors_and_stored_under_our_names(rongcloud, nexconn, ann):
    words = {"uniqueId": "a-1", "portraitUri": "http://x/a", "name": "Ann"}
    assert rongcloud("profile/set", userId="ann", userProfile=json.dumps(words))[0] == 200

    assert Profile.objects.get().basic == {
        "unique_id": "a-1",
        "avatar_url": "http://x/a",
        "name": "Ann",
    }
    [shown] = nexconn("user/profile/batch/get", userIds=["ann"])[1]["result"]["users"]
    assert shown["userProfile"] == words
    [shown] = rongcloud("profile/batch/query", userId="ann")[1]["userList"]
    assert json.loads(shown["userProfile"]) == words


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"userProfile": {"portraitUri": "x" * 1025}}, "portraitUri"),
        ({"userProfile": {"avatar_url": "http://x/a"}}, "avatar_url"),
        ({"userExtProfile": {"team": "red"}}, "team"),
        ({"userExtProfile": {"ext_": "red"}}, "ext_"),
    ],
)
def test_are_named_in_refusals(nexconn, ann, fields, key):
    status, answer = nexconn("user/profile/set", userId="ann", **fields)

    assert status == 400
    assert answer["profileKey"] == key
    assert not Profile.objects.exists()


def test_are_checked_in_friends_profiles_too(nexconn, ann):
    described = {"userId": "ann", "targetId": "bob", "friendExtProfile": {"met": "at work"}}
    status, answer = nexconn("friend/profile/set", **described)

    assert (status, answer["profileKey"]) == (400, "met")
