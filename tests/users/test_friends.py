"""Friends. Law 28's gate is proved in tests/moderation/test_gates.py; here is who they are."""

import pytest

from tests.factories import (
    HOUR,
    NOON,
    api_actor,
    make_deactivated,
    make_environment,
    make_user,
    staff_actor,
)
from users import deactivation, deletion, friend_permissions, friends
from users.friends import (
    BefriendsOneself,
    InvalidFriendProfile,
    NoSuchRequest,
    NotFriends,
    Outcome,
    RefusesFriends,
    TooManyFriends,
)
from users.hosted_profiles import InvalidField
from users.models import AppUser, FriendPermission, FriendRequest, Friendship
from users.tokens import UnknownUsers

BY_STAFF = {"by": staff_actor(), "now": NOON}
BY_API = {"by": api_actor(), "now": NOON}


@pytest.fixture
def environment(db):
    environment = make_environment()
    for user_id in ("ann", "bob", "cy"):
        make_user(environment=environment, user_id=user_id, name=user_id.title())
    return environment


@pytest.fixture
def add(environment):
    def add(user_id, friend_id, **options):
        options = {**BY_API, **options}
        return friends.add(environment=environment, user_id=user_id, friend_id=friend_id, **options)

    return add


def permit(environment, user_id, permission):
    friend_permissions.change(
        environment=environment, user_ids=[user_id], permission=permission, **BY_API
    )


def friends_of(environment, user_id):
    page = friends.page(environment=environment, user_id=user_id, size=10)
    return [friendship.friend_id for friendship in page.rows]


class TestAdd:
    def test_makes_both_sides_at_once(self, environment, add):
        assert add("ann", "bob") is Outcome.FRIENDS
        assert (friends_of(environment, "ann"), friends_of(environment, "bob")) == (
            ["bob"],
            ["ann"],
        )
        assert add("bob", "ann") is Outcome.FRIENDS
        assert Friendship.objects.count() == 2

    def test_asks_whoever_wants_to_be_asked(self, environment, add):
        permit(environment, "bob", FriendPermission.APPROVAL)

        assert add("ann", "bob", message="hello\nthere") is Outcome.REQUESTED
        assert add("ann", "bob", message="hello?") is Outcome.REQUESTED
        assert FriendRequest.objects.get().message == "hello?"
        assert friends_of(environment, "ann") == []

    def test_is_an_answer_where_the_other_has_asked(self, environment, add):
        permit(environment, "bob", FriendPermission.APPROVAL)
        permit(environment, "ann", FriendPermission.NOBODY)
        add("ann", "bob")

        assert add("bob", "ann") is Outcome.FRIENDS
        assert not FriendRequest.objects.exists()

    def test_is_refused_by_whoever_wants_no_friends_unless_direct(self, environment, add):
        permit(environment, "bob", FriendPermission.NOBODY)

        with pytest.raises(RefusesFriends):
            add("ann", "bob")
        assert add("ann", "bob", direct=True) is Outcome.FRIENDS

    def test_takes_registered_users_of_this_environment_alone(self, environment, add):
        make_user(environment=make_environment(), user_id="dan")
        make_deactivated(environment=environment, user_id="eve")

        for stranger in ("dan", "eve"):
            with pytest.raises(UnknownUsers, match=stranger):
                add("ann", stranger)
        with pytest.raises(BefriendsOneself):
            add("ann", "ann")

    @pytest.mark.parametrize("message", ["x" * 129, "a\x00b", "\ud800"])
    def test_takes_no_message_that_no_store_keeps(self, add, message):
        with pytest.raises(InvalidFriendProfile):
            add("ann", "bob", message=message)

    @pytest.mark.parametrize("full", ["ann", "bob"])
    def test_stops_at_the_limit_of_either(self, environment, add, monkeypatch, full):
        monkeypatch.setattr(friends, "MAX_FRIENDS", 1)
        add(full, "cy")

        with pytest.raises(TooManyFriends, match=full):
            add("ann", "bob")
        assert friends.count(environment=environment, user_id="ann") == (full == "ann")


class TestAnswer:
    def answer(self, environment, accept):
        friends.answer(
            environment=environment, user_id="bob", sender_id="ann", accept=accept, **BY_API
        )

    @pytest.mark.parametrize("accept", [True, False])
    def test_is_given_once(self, environment, add, accept):
        permit(environment, "bob", FriendPermission.APPROVAL)
        add("ann", "bob")

        self.answer(environment, accept)

        assert bool(
            friends.friends_among(environment=environment, user_id="ann", others=["bob"])
        ) is (accept)
        with pytest.raises(NoSuchRequest):
            self.answer(environment, accept)


class TestEnd:
    def test_is_for_both_sides_and_no_error_where_there_is_none(self, environment, add):
        add("ann", "bob")
        add("cy", "ann")

        def remove(user_id, *ids):
            return friends.remove(
                environment=environment, user_id=user_id, friend_ids=ids, **BY_API
            )

        assert remove("bob", "ann", "cy", "nobody") == ["ann"]
        assert remove("bob", "ann") == []
        assert friends_of(environment, "ann") == ["cy"]
        ended = friends.remove_all(environment=environment, user_id="ann", **BY_API)
        assert (ended, Friendship.objects.count()) == (["cy"], 0)

    def test_comes_with_deletion_and_with_deactivation(self, environment, add):
        permit(environment, "cy", FriendPermission.APPROVAL)
        add("ann", "bob")
        add("ann", "cy")

        deletion.delete(environment=environment, user_ids=["ann"], **BY_STAFF)
        assert not Friendship.objects.exists()
        assert not FriendRequest.objects.exists()

        add("cy", "bob")
        deactivation.deactivate(environment=environment, user_ids=["cy"], **BY_API)
        deactivation.erase_pending(now=NOON)
        assert not Friendship.objects.exists()


class TestPage:
    def test_runs_by_when_they_became_friends_either_way(self, environment, add):
        add("ann", "cy")
        add("bob", "ann", now=NOON + HOUR)

        page = friends.page(environment=environment, user_id="ann", size=1)
        rest = friends.page(environment=environment, user_id="ann", size=1, cursor=page.next)
        newest = friends.page(environment=environment, user_id="ann", size=1, newest_first=True)

        assert [each.rows[0].friend_id for each in (page, rest, newest)] == ["cy", "bob", "bob"]
        assert rest.next is None


class TestDescribe:
    def describe(self, environment, **given):
        friends.describe(environment=environment, user_id="ann", friend_id="bob", **BY_API, **given)
        return Friendship.objects.get(owner_id="ann")

    def test_is_each_sides_own(self, environment, add):
        add("ann", "bob")

        mine = self.describe(environment, alias="Bobby", extended={"met": "at work"})
        assert (mine.alias, mine.extended) == ("Bobby", {"met": "at work"})
        mine = self.describe(environment, alias="")
        assert (mine.alias, mine.extended) == ("", {"met": "at work"})
        assert Friendship.objects.get(owner_id="bob").alias == ""

    def test_needs_a_friendship(self, environment):
        with pytest.raises(NotFriends):
            self.describe(environment, alias="Bobby")

    @pytest.mark.parametrize(
        "given",
        [
            {"alias": "x" * 101},
            {"alias": "a\x00b"},
            {"extended": {f"field_{number}": "" for number in range(11)}},
            {"extended": {"met": "x" * 257}},
            {"extended": {"met-at": "work"}},
            {"extended": {"met": 7}},
        ],
    )
    def test_has_bounds(self, environment, add, given):
        add("ann", "bob")

        with pytest.raises((InvalidFriendProfile, InvalidField)):
            self.describe(environment, **given)


class TestPermission:
    def test_is_set_for_all_of_them_or_none(self, environment):
        with pytest.raises(UnknownUsers, match="nobody"):
            friend_permissions.change(
                environment=environment,
                user_ids=["ann", "nobody"],
                permission=FriendPermission.NOBODY,
                **BY_API,
            )
        permit(environment, "bob", FriendPermission.APPROVAL)

        assert friend_permissions.get_many(environment=environment, user_ids=["bob", "ann"]) == {
            "bob": FriendPermission.APPROVAL,
            "ann": FriendPermission.ANYONE,
        }
        assert AppUser.objects.filter(friend_permission=FriendPermission.ANYONE).count() == 2
