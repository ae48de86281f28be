"""The vendors' own SDKs, unchanged, against a live server.

The clock is frozen until a test moves it; the server's thread shares it.
"""

import json
import socket

import ncsdk
import pytest
from ncsdk.exceptions import ApiException
from rongcloud.rongcloud import RongCloud

from applications.audit import Actor
from moderation import gates
from tests.factories import MINUTE, NOON, SECOND, secret_of
from users import deletion
from users.models import AppUser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_noon")]


def may_connect(environment, user_id, now=NOON):
    return gates.may_connect(environment=environment, user_id=user_id, now=now).rule


class TestNexconnSDK:
    @pytest.fixture
    def client(self, live_server, environment):
        configuration = ncsdk.Configuration()
        configuration.set_nexconn_credentials(environment.app_key, secret_of(environment))
        configuration.set_primary_backup_domains(live_server.url, live_server.url)
        client = ncsdk.ApiClient(configuration)
        yield client
        client.rest_client.pool_manager.clear()

    @pytest.fixture
    def users(self, client):
        return ncsdk.UserManagementApi(client)

    @pytest.fixture
    def blocklists(self, client):
        return ncsdk.UserBlocklistApi(client)

    def issue(self, users, user_id):
        return users.issue_access_token(
            ncsdk.AccessTokenIssueRequest(user_id=user_id, name=user_id.title())
        )

    def refusal(self, call, *arguments):
        with pytest.raises(ApiException) as refused:
            call(*arguments)
        return refused.value.status, json.loads(refused.value.body)["code"]

    def test_registers_up_to_the_limit_and_again_after_a_deletion(self, users, environment):
        for number in range(100):
            answer = self.issue(users, f"user{number}")
            assert answer.code == 0
            assert answer.result.access_token
        assert self.refusal(self.issue, users, "late") == (403, 2007)
        assert self.issue(users, "user7").result.user_id == "user7"

        deletion.delete(
            environment=environment,
            user_ids=["user0"],
            by=Actor.system("a test"),
            now=NOON,
        )
        assert self.issue(users, "late").code == 0
        assert AppUser.objects.count() == 100

    def test_bans_until_the_ban_expires(self, users, environment, at_noon):
        self.issue(users, "mallory")
        users.ban_users(ncsdk.UserBanRequest(user_ids=["mallory", "ghost"], duration_minutes=30))
        banned = users.list_banned_users(ncsdk.UserBanListRequest()).result.banned_users
        assert {each.user_id for each in banned} == {"mallory", "ghost"}
        assert may_connect(environment, "mallory") == "banned"

        users.unban_users(ncsdk.UserIdsMax20Request(user_ids=["ghost"]))
        end = NOON + 30 * MINUTE
        assert may_connect(environment, "mallory", now=end - SECOND) == "banned"
        assert may_connect(environment, "mallory", now=end) == "registered"
        at_noon.move_to(end)
        assert users.list_banned_users(ncsdk.UserBanListRequest()).result.banned_users == []

    def test_deactivates_and_reactivates(self, users):
        self.issue(users, "ann")
        operation = users.soft_delete_users(ncsdk.UserIdsMax100Request(user_ids=["ann"]))
        assert operation.result.operation_id
        assert self.refusal(self.issue, users, "ann") == (400, 1002)
        deleted = users.list_soft_deleted_users(ncsdk.UserSoftDeletedListRequest())
        assert deleted.result.user_ids == ["ann"]

        users.restore_users(ncsdk.UserIdsMax100Request(user_ids=["ann"]))
        assert self.issue(users, "ann").code == 0

    def test_reads_and_updates_users(self, users):
        self.issue(users, "ann")
        users.update_user(ncsdk.UserUpdateRequest(user_id="ann", avatar_url="http://x/a"))
        profile = users.get_user(ncsdk.UserGetRequest(user_id="ann")).result
        assert (profile.name, profile.avatar_url) == ("Ann", "http://x/a")
        assert profile.created_at
        status = users.get_user_connection_status(ncsdk.UserConnectionStatusRequest(user_id="ann"))
        assert status.result.status == "0"
        users.expire_access_token(
            ncsdk.AccessTokenExpireRequest(user_ids=["ann"], expires_at=1_700_000_000_000)
        )
        assert self.refusal(users.get_user, ncsdk.UserGetRequest(user_id="bob")) == (400, 400)

    def test_keeps_blocklists(self, blocklists):
        blocklists.add_user_blocklist(
            ncsdk.UserBlocklistAddRequest(user_id="ann", target_user_ids=["bob", "cy"])
        )
        blocklists.remove_user_blocklist(
            ncsdk.UserBlocklistRemoveRequest(user_id="ann", blocked_user_ids=["bob"])
        )
        answer = blocklists.get_user_blocklist(ncsdk.UserBlocklistGetRequest(user_id="ann"))

        assert answer.result.blocked_user_ids == ["cy"]
        assert not answer.result.page_token

    def test_keeps_profiles(self, users, client):
        self.issue(users, "ann")
        profiles = ncsdk.UserProfileHostingApi(client)
        profiles.set_user_profile(
            ncsdk.UserProfileSetRequest(
                user_id="ann", user_profile={"level": 7}, user_ext_profile={"ext_team": "red"}
            )
        )
        [shown] = profiles.list_user_profiles(ncsdk.UserProfileListRequest()).result.users
        assert (shown.user_id, shown.user_profile) == ("ann", {"level": 7})
        assert shown.user_ext_profile == {"ext_team": "red"}

    def test_keeps_friends(self, users, client):
        for user_id in ("ann", "bob"):
            self.issue(users, user_id)
        friends = ncsdk.FriendshipApi(client)
        friends.add_friend(ncsdk.FriendAddRequest(user_id="ann", target_id="bob", action=1))
        answer = friends.list_friends(ncsdk.FriendListRequest(user_id="ann")).result
        assert (answer.total_count, answer.friends[0].name) == (1, "Bob")
        related = friends.get_friend_relationships(
            ncsdk.FriendRelationshipGetRequest(user_id="ann", target_ids=["bob", "cy"])
        )
        assert [each.result for each in related.result.friendships] == [4, 1]

    def test_with_a_wrong_secret_is_refused(self, users, client):
        client.configuration.set_nexconn_app_secret("0" * 32)

        assert self.refusal(self.issue, users, "ann") == (401, 1004)


class TestRongCloudSDK:
    @pytest.fixture
    def sdk(self, live_server, environment):
        before = socket.getdefaulttimeout()  # the SDK changes it for the whole process
        yield RongCloud(environment.app_key, secret_of(environment), host_url=live_server.url)
        socket.setdefaulttimeout(before)

    @pytest.fixture
    def users(self, sdk):
        return sdk.get_user()

    def post(self, users, call, body):
        """Makes a call for which the SDK has no method, signed and sent by the SDK."""
        return users._http_post(f"/user/{call}.json", body)

    def code(self, answer):
        """The code of a response. The SDK returns refusals as bytes."""
        return (json.loads(answer) if isinstance(answer, bytes) else answer)["code"]

    def test_registers_up_to_the_limit_and_again_after_a_deletion(self, users):
        for number in range(100):
            assert users.register(f"user{number}", "Name", "")["code"] == 200
        assert self.code(users.register("late", "Late", "")) == 2007
        assert users.register("user7", "Name", "")["userId"] == "user7"

        assert self.post(users, "delusers", "userId=user0")["code"] == 200
        assert users.register("late", "Late", "")["token"]
        assert AppUser.objects.count() == 100

    def test_bans_until_the_ban_expires(self, users, environment, at_noon):
        users.register("mallory", "Mallory", "")
        block = users.get_block()
        assert block.add(["mallory", "ghost"], 30) == {"code": 200}
        assert {user["userId"] for user in block.query()["users"]} == {"mallory", "ghost"}
        assert may_connect(environment, "mallory") == "banned"

        assert block.remove("ghost") == {"code": 200}
        at_noon.move_to(NOON + 30 * MINUTE)
        assert may_connect(environment, "mallory", now=NOON + 30 * MINUTE) == "registered"
        assert block.query() == {"code": 200, "users": []}

    def test_deactivates_and_reactivates(self, users):
        users.register("ann", "Ann", "")
        assert self.post(users, "deactivate", "userId=ann")["operateId"]
        assert self.code(users.register("ann", "Ann", "")) == 1002
        assert self.post(users, "deactivate/query", "")["users"] == ["ann"]

        assert self.post(users, "reactivate", "userId=ann")["code"] == 200
        assert users.register("ann", "Ann", "")["code"] == 200

    def test_reads_and_updates_users(self, users):
        users.register("ann", "Ann", "")
        assert users.update("ann", "张三 a", "http://x/a?b=1") == {"code": 200}
        answer = users.query("ann")
        assert (answer["userName"], answer["userPortrait"]) == ("张三 a", "http://x/a?b=1")
        assert users.check_online("ann") == {"code": 200, "status": "0"}
        assert self.code(users.query("bob")) == 400

    def test_sets_tags(self, users):
        tag = users.get_tag()
        assert tag.set("ann", ["vip"]) == {"code": 200}
        assert tag.set(["bob", "cy"], ["new", "张三"]) == {"code": 200}
        assert tag.get(["ann", "bob"]) == {
            "code": 200,
            "result": {"ann": ["vip"], "bob": ["new", "张三"]},
        }

    @pytest.mark.parametrize("kind", ["blacklist", "whitelist"])
    def test_keeps_lists(self, users, kind):
        listing = getattr(users, f"get_{kind}")()

        assert listing.add("ann", ["bob", "cy"]) == {"code": 200}
        assert listing.remove("ann", "bob") == {"code": 200}
        assert listing.query("ann") == {"code": 200, "users": ["cy"]}
