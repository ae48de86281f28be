"""Nexconn's calls, as its SDKs send them. RongCloud's tests cover what the calls do; these cover
Nexconn's names, its envelope, and its differences.
"""

import pytest

from moderation.models import Ban, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    MINUTE,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_entry,
    make_user,
)
from users import tokens
from users.models import AppUser, DeactivatedUser, Friendship

DONE = (200, {"code": 0})
NOON_MS = int(NOON.timestamp() * 1000)
NOBODY = (400, {"code": 400, "errorMessage": "Not registered: nobody"})


def result(answer):
    """The result. Exactly these keys are allowed: one SDK refuses any others."""
    status, body = answer
    assert (status, body["code"], sorted(body)) == (200, 0, ["code", "result"])
    return body["result"]


@pytest.fixture
def ann(environment):
    return make_user(environment=environment, user_id="ann", name="Ann", registered_at=NOON)


@pytest.fixture
def bob(environment):
    return make_user(environment=environment, user_id="bob", name="Bob", registered_at=NOON)


class TestTokens:
    def test_are_issued_and_expire(self, nexconn, environment):
        body = '{"userId": "u1", "name": "\\u5f20\\u4e09", "avatarUrl": "https://x.test/a.png"}'
        issued = result(nexconn.send("/v4/auth/access-token/issue", body, content_type="text/x"))

        user = AppUser.objects.get(environment=environment)
        token = issued.pop("accessToken")
        assert issued == {"userId": "u1"}
        assert tokens.authenticate(environment=environment, token=token, now=NOON) == user
        assert (user.name, user.avatar_url) == ("张三", "https://x.test/a.png")

        expire = {"userIds": ["nobody", "u1"]}
        ahead = nexconn("auth/access-token/expire", **expire, expiresAt=NOON_MS + 3_600_000)
        assert (ahead[0], ahead[1]["code"]) == (400, 1002)
        assert nexconn("auth/access-token/expire", **expire, expiresAt=NOON_MS) == DONE
        assert AppUser.objects.get().tokens_valid_from == NOON

    def test_update_name_and_avatar_if_they_are_sent(self, nexconn, ann):
        nexconn("user/update", userId="ann", avatarUrl="http://x/a")
        nexconn("auth/access-token/issue", userId="ann", name="Anna", avatarUrl=None)
        user = AppUser.objects.get()
        assert (user.name, user.avatar_url) == ("Anna", "http://x/a")

        nexconn("auth/access-token/issue", userId="ann", name="Anna", avatarUrl="")
        assert AppUser.objects.get().avatar_url == ""


class TestUsers:
    def test_are_shown_and_changed(self, nexconn, ann):
        assert nexconn("user/update", userId="ann", avatarUrl="http://x/a") == DONE
        assert result(nexconn("user/get", userId="ann")) == {
            "name": "Ann",
            "avatarUrl": "http://x/a",
            "createdAt": "2026-03-02 12:00:00",
        }
        for call in ("user/get", "user/update"):
            assert nexconn(call, userId="nobody") == NOBODY

    @pytest.mark.parametrize("call", ["user/connection-status/get", "user/online-status/get"])
    def test_have_their_online_status_as_text_on_both_paths(self, nexconn, environment, call):
        make_connection(environment=environment, user_id="ann")

        assert result(nexconn(call, userId="ann")) == {"status": "1"}
        assert result(nexconn(call, userId="bob")) == {"status": "0"}

    def test_are_soft_deleted_and_restored(self, nexconn, environment, ann):
        operation = result(nexconn("user/soft-delete", userIds=["ann"]))
        assert operation == {"operationId": DeactivatedUser.objects.get().operation_id}
        assert nexconn("auth/access-token/issue", userId="ann", name="A")[1]["code"] == 1002
        make_deactivated(environment=environment, user_id="older", deactivated_at=NOON - DAY)
        assert result(nexconn("user/soft-deleted/list", pageSize=1)) == {"userIds": ["ann"]}
        assert sorted(result(nexconn("user/restore", userIds=["ann"]))) == ["operationId"]
        assert result(nexconn.send("/v4/user/soft-deleted/list")) == {"userIds": ["older"]}


class TestModeration:
    def test_bans_unbans_and_lists(self, nexconn, environment):
        assert nexconn("user/ban", userIds=["u1", "u2"], durationMinutes=43_200) == DONE
        assert Ban.objects.get(user_id="u1").expires_at == NOON + 30 * DAY
        make_ban(environment=environment, user_id="u3", expires_at=NOON + MINUTE)
        assert nexconn("user/unban", userIds=["u1", "nobody"]) == DONE

        everybody = {
            "bannedUsers": [
                {"userId": "u2", "banExpiresAt": "2026-04-01 12:00:00"},
                {"userId": "u3", "banExpiresAt": "2026-03-02 12:01:00"},
            ]
        }
        assert result(nexconn.send("/v4/user/ban/list")) == everybody
        assert result(nexconn("user/ban/list", page=0, pageSize=1)) == everybody

    def test_keeps_blocklists(self, nexconn, environment):
        assert nexconn("user/blocklist/add", userId="u1", targetUserIds=["u1", "b1", "b2"]) == DONE
        assert nexconn("user/blocklist/remove", userId="u1", blockedUserIds=["b1"]) == DONE
        assert BlocklistEntry.objects.of(environment, "u1").get().listed_id == "b2"
        assert nexconn("user/allowlist/add", userId="u1", targetUserIds=["b1"])[0] == 404

    @pytest.mark.parametrize(("order", "expected"), [(0, ["b1", "b0"]), (1, ["b0", "b1"])])
    def test_shows_blocklists_in_pages(self, nexconn, environment, order, expected):
        for listed in ("b0", "b1"):
            make_entry(BlocklistEntry, environment=environment, owner_id="u1", listed_id=listed)
        asked = {"userId": "u1", "pageSize": 1, "order": order}

        first = result(nexconn("user/blocklist/get", **asked))
        assert sorted(first) == ["blockedUserIds", "pageToken"]
        second = result(nexconn("user/blocklist/get", **asked, pageToken=first["pageToken"]))
        assert first["blockedUserIds"] + second["blockedUserIds"] == expected
        assert second["pageToken"] == ""

    def test_mutes_in_several_kinds_of_conversations_at_once(self, nexconn):
        muted = {"userIds": ["ann"], "channelTypes": [1, "GROUP", "CHATROOM"]}
        assert nexconn("channel-type/mute/set", **muted, muteState=1) == DONE
        for kind in ("PERSON", "GROUP", "CHATROOM"):
            assert result(nexconn("channel-type/mute/list", channelType=kind)) == {
                "totalCount": 1,
                "mutedUserIds": ["ann"],
            }
        assert nexconn("channel-type/mute/set", **muted, muteState=0) == DONE
        assert not Mute.objects.exists()


class TestProfilesAndTags:
    def test_profiles_are_objects_without_empty_parts(self, nexconn, ann):
        extended = {"userExtProfile": {"ext_team": "red"}}
        assert nexconn("user/profile/set", userId="ann", **extended) == DONE
        shown = {"userId": "ann", "version": NOON_MS, **extended}
        for call in (
            nexconn("user/profile/batch/get", userIds=["nobody", "ann"]),
            nexconn("user/profile/list", order=1),
        ):
            assert result(call) == {"users": [shown]}
        nexconn("user/profile/set", userId="ann", userProfile={"level": 7})
        [both] = result(nexconn("user/profile/list"))["users"]
        assert both["userProfile"] == {"level": 7}
        assert nexconn("user/profile/delete", userIds=["ann", "nobody"]) == DONE
        assert result(nexconn.send("/v4/user/profile/list")) == {"users": []}

    @pytest.mark.parametrize(
        ("halves", "code", "key"),
        [
            ({"userExtProfile": {"team": "red"}}, 1002, "team"),
            ({"userProfile": {"location": "x" * 33}}, 1005, "location"),
            ({"userExtProfile": {f"ext_{n}": "" for n in range(21)}}, 1002, "ext_20"),
            ({"userProfile": None}, 1002, None),
        ],
    )
    def test_profiles_errors_name_the_field(self, nexconn, ann, halves, code, key):
        answer = nexconn("user/profile/set", userId="ann", **halves)[1]

        assert (answer["code"], answer.get("profileKey")) == (code, key)

    def test_tags_are_lists_of_users(self, nexconn):
        ids = [f"u{number}" for number in range(1001)]
        assert nexconn("user/tag/batch/set", userIds=ids, tags=["vip"])[1]["code"] == 1002
        assert nexconn("user/tag/batch/set", userIds=ids[:1000], tags=["vip"]) == DONE
        assert nexconn("user/tag/batch/set", userIds=["u1"], tags=[]) == DONE
        assert result(nexconn("user/tag/batch/get", userIds=["u0", "u1"])) == {
            "users": [{"userId": "u0", "tags": ["vip"]}, {"userId": "u1", "tags": []}]
        }


@pytest.mark.usefixtures("ann", "bob")
class TestFriends:
    def test_are_added_listed_and_removed(self, nexconn):
        pair = {"userId": "ann", "targetId": "bob"}
        assert nexconn("friend/add", **pair, action=1) == DONE
        described = {"alias": "Bobby", "friendExtProfile": {"ext_met": "work"}}
        assert nexconn("friend/profile/set", **pair, **described) == DONE
        bob = {"userId": "bob", "name": "Bob", **described, "addedAt": NOON_MS}
        listed = nexconn("friend/list", userId="ann", pageSize="50", order="0")
        assert result(listed) == {"pageToken": "", "totalCount": 1, "friends": [bob]}
        asked = nexconn("friend/relationship/get", userId="bob", targetIds=["ann", "cy"])
        assert result(asked) == {
            "friendships": [{"userId": "ann", "result": 4}, {"userId": "cy", "result": 1}]
        }
        assert nexconn("friend/remove", userId="bob", targetIds=["ann"]) == DONE
        assert nexconn("friend/delete", userId="bob", targetIds=["ann"]) == DONE
        assert nexconn("friend/remove-all", userId="ann") == DONE
        assert not Friendship.objects.exists()

    def test_have_permissions(self, nexconn):
        assert nexconn("friend/permission/set", userIds=["bob"], permissionType=3) == DONE
        assert result(nexconn("friend/permission/get", userIds=["bob", "ann"])) == {
            "permissions": [
                {"userId": "bob", "permissionType": 3},
                {"userId": "ann", "permissionType": 1},
            ]
        }
        assert nexconn("friend/add", userId="ann", targetId="bob")[1]["code"] == 1002
        assert nexconn("friend/add", userId="ann", targetId="bob", action=2) == DONE
        assert nexconn("friend/add", userId="ann", targetId="nobody") == NOBODY
