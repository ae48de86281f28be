"""Hosted profiles, friends, tags and mutes, in Nexconn's words."""

import pytest

from moderation import gates
from moderation.models import Mute
from tests.api.nexconn.answers import DONE, result
from tests.factories import MINUTE, NOON, make_user
from users.models import AppUser, FriendPermission, Friendship

NOON_MS = int(NOON.timestamp() * 1000)


@pytest.fixture(autouse=True)
def users(environment):
    for number, user_id in enumerate(("ann", "bob", "cy")):
        make_user(
            environment=environment,
            user_id=user_id,
            name=user_id.title(),
            registered_at=NOON + number * MINUTE,
        )


class TestProfiles:
    def test_are_objects_both_ways(self, nexconn):
        answer = nexconn(
            "user/profile/set",
            userId="ann",
            userProfile={"name": "张三", "level": 7},
            userExtProfile={"ext_team": "red"},
        )
        assert answer == DONE
        expected = {
            "users": [
                {
                    "userId": "ann",
                    "version": NOON_MS,
                    "userProfile": {"name": "张三", "level": 7},
                    "userExtProfile": {"ext_team": "red"},
                }
            ]
        }
        assert result(nexconn("user/profile/batch/get", userIds=["bob", "ann"])) == expected
        assert result(nexconn("user/profile/list")) == expected
        assert result(nexconn("user/profile/list", page=2)) == {"users": []}

        assert nexconn("user/profile/delete", userIds=["ann", "bob", "nobody"]) == DONE
        assert result(nexconn.send("/v4/user/profile/list")) == {"users": []}

    def test_leave_an_empty_half_out(self, nexconn):
        nexconn("user/profile/set", userId="ann", userExtProfile={"ext_team": "red"})

        [shown] = result(nexconn("user/profile/list"))["users"]
        assert sorted(shown) == ["userExtProfile", "userId", "version"]

    def test_say_what_is_too_long(self, nexconn):
        def set_to(**halves):
            return nexconn("user/profile/set", userId="ann", **halves)[1]["code"]

        assert set_to(userProfile={"location": "x" * 33}) == 1005
        assert set_to(userExtProfile={"ext_a": "x" * 257}) == 1005
        assert set_to(userExtProfile={f"ext_{number}": "" for number in range(21)}) == 1002

    def test_name_the_field_at_fault(self, nexconn):
        answer = nexconn("user/profile/set", userId="ann", userExtProfile={"team": "red"})[1]

        assert (answer["code"], answer["profileKey"]) == (1002, "team")

    def test_need_one_half_at_least(self, nexconn):
        assert nexconn("user/profile/set", userId="ann", userProfile=None)[1]["code"] == 1002


class TestFriends:
    def test_are_made_shown_and_ended(self, nexconn):
        assert nexconn("friend/add", userId="ann", targetId="bob", action=1) == DONE
        described = nexconn(
            "friend/profile/set",
            userId="ann",
            targetId="bob",
            alias="Bobby",
            friendExtProfile={"ext_met": "work"},
        )
        assert described == DONE
        assert result(nexconn("friend/list", userId="ann")) == {
            "pageToken": "",
            "totalCount": 1,
            "friends": [
                {
                    "userId": "bob",
                    "name": "Bob",
                    "alias": "Bobby",
                    "friendExtProfile": {"ext_met": "work"},
                    "addedAt": NOON_MS,
                }
            ],
        }
        asked = nexconn("friend/relationship/get", userId="bob", targetIds=["ann", "cy"])
        assert result(asked) == {
            "friendships": [{"userId": "ann", "result": 4}, {"userId": "cy", "result": 1}]
        }
        listed = nexconn("friend/list", userId="ann", pageSize="50", order="0")
        assert result(listed)["totalCount"] == 1
        assert nexconn("friend/delete", userId="bob", targetIds=["ann"]) == DONE
        assert nexconn("friend/remove", userId="bob", targetIds=["ann"]) == DONE
        assert nexconn("friend/remove-all", userId="ann") == DONE
        assert not Friendship.objects.exists()

    def test_say_who_may_become_one(self, nexconn):
        assert nexconn("friend/permission/set", userIds=["bob"], permissionType=3) == DONE
        assert result(nexconn("friend/permission/get", userIds=["bob", "ann"])) == {
            "permissions": [
                {"userId": "bob", "permissionType": 3},
                {"userId": "ann", "permissionType": 1},
            ]
        }
        assert nexconn("friend/add", userId="ann", targetId="bob")[1]["code"] == 1002
        assert nexconn("friend/add", userId="ann", targetId="bob", action=2) == DONE
        assert AppUser.objects.get(user_id="bob").friend_permission == FriendPermission.NOBODY


class TestTags:
    def test_are_lists_of_users_at_nexconns(self, nexconn):
        assert nexconn("user/tag/batch/set", userIds=["ann", "bob"], tags=["vip"]) == DONE
        assert nexconn("user/tag/batch/set", userIds=["bob"], tags=[]) == DONE
        assert result(nexconn("user/tag/batch/get", userIds=["ann", "bob"])) == {
            "users": [{"userId": "ann", "tags": ["vip"]}, {"userId": "bob", "tags": []}]
        }

    def test_may_be_set_for_a_thousand_at_once(self, nexconn):
        ids = [f"u{number}" for number in range(1001)]

        assert nexconn("user/tag/batch/set", userIds=ids, tags=["x"])[1]["code"] == 1002
        assert nexconn("user/tag/batch/set", userIds=ids[:1000], tags=["x"]) == DONE


class TestMutes:
    def rule(self, environment):
        return gates.may_message(
            environment=environment, sender_id="ann", recipient_id="bob", now=NOON
        ).rule

    def test_are_of_several_kinds_of_conversations_at_once(self, nexconn, environment):
        kinds = ["PERSON", "GROUP", "CHATROOM"]
        muted = {"userIds": ["ann"], "channelTypes": [1, *kinds[1:]]}
        assert nexconn("channel-type/mute/set", **muted, muteState=1) == DONE
        assert self.rule(environment) == "muted"
        for kind in kinds:
            assert result(nexconn("channel-type/mute/list", channelType=kind)) == {
                "totalCount": 1,
                "mutedUserIds": ["ann"],
            }
        assert nexconn("channel-type/mute/set", **muted, muteState=0) == DONE
        assert not Mute.objects.exists()
