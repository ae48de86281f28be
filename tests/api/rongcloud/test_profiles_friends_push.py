"""RongCloud's calls about hosted profiles, friends, tags, remarks, mutes and quiet periods."""

import json

import pytest

from moderation import gates
from tests.factories import MINUTE, NOON, make_user
from users.models import FriendRequest, Friendship, Profile, UserTags

DONE = (200, {"code": 200})
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
    def set(self, rongcloud, user_id, **profile):
        return rongcloud("profile/set", userId=user_id, userProfile=json.dumps(profile))

    def test_are_json_as_text_both_ways(self, rongcloud):
        answer = rongcloud(
            "profile/set",
            userId="ann",
            userProfile='{"name":"张三","gender":2}',
            userExtProfile='{"ext_team":"red"}',
        )
        assert answer == DONE

        assert rongcloud("profile/batch/query", userId="bob,ann") == (
            200,
            {
                "code": 200,
                "userList": [
                    {
                        "userId": "ann",
                        "version": NOON_MS,
                        "userProfile": '{"name": "张三", "gender": 2}',
                        "userExtProfile": '{"ext_team": "red"}',
                    }
                ],
            },
        )

    def test_are_listed_by_registration_either_way(self, rongcloud):
        for user_id in ("cy", "ann", "bob"):
            self.set(rongcloud, user_id, name=user_id)

        def listed(**page):
            return [each["userId"] for each in rongcloud("profile/query", **page)[1]["userList"]]

        assert listed() == ["ann", "bob", "cy"]
        assert listed(order=1, size=2) == ["cy", "bob"]
        assert listed(order=1, size=2, page=2) == ["ann"]

    @pytest.mark.parametrize("ids", ["ann,bob", ["ann", "bob"]])
    def test_are_removed_whether_ids_are_joined_or_repeated(self, rongcloud, ids):
        self.set(rongcloud, "ann", name="Ann")

        assert rongcloud("profile/clean", userId=ids) == DONE
        assert not Profile.objects.exists()

    def test_errors_name_the_field(self, rongcloud):
        assert self.set(rongcloud, "ann", role=101) == (
            400,
            {
                "code": 1002,
                "errorMessage": "role: a number from 0 to 100",
                "profileKey": "role",
            },
        )

    def test_have_codes_for_too_long_and_too_many(self, rongcloud):
        assert self.set(rongcloud, "ann", name="x" * 65)[1]["code"] == 1005
        for code, extended in [
            (1005, {"ext_a": "x" * 257}),
            (1005, {"ext_" + "x" * 29: ""}),
            (1502, {f"ext_{number}": "" for number in range(21)}),
            (1002, {"team": "red"}),
        ]:
            answer = rongcloud("profile/set", userId="ann", userExtProfile=json.dumps(extended))[1]
            assert (answer["code"], "profileKey" in answer) == (code, True)

    def test_have_case_insensitive_members_and_nulls_are_not_sent(self, rongcloud):
        assert self.set(rongcloud, "ann", Name="Ann", PORTRAITURI="http://x", email=None) == DONE
        assert Profile.objects.get().basic == {"name": "Ann", "avatar_url": "http://x"}
        assert self.set(rongcloud, "ann", Name="Ann", name="Anna")[1]["code"] == 1501

    def test_of_unknown_users_are_removed_but_not_set(self, rongcloud):
        self.set(rongcloud, "ann", name="Ann")

        assert rongcloud("profile/clean", userId="nobody,ann") == DONE
        assert not Profile.objects.exists()
        assert self.set(rongcloud, "nobody", name="N") == (
            400,
            {"code": 400, "errorMessage": "Not registered: nobody"},
        )

    @pytest.mark.parametrize(
        "text", ["{", "[]", "7", '"x"', '{"name":"a","name":"b"}', '{"role":NaN}', "[" * 30_000]
    )
    def test_are_objects(self, rongcloud, text):
        status, answer = rongcloud("profile/set", userId="ann", userProfile=text)

        assert (status, answer["code"]) == (400, 1501)
        assert answer["errorMessage"].startswith("userProfile")

    def test_need_at_least_one_part(self, rongcloud):
        assert rongcloud("profile/set", userId="ann")[1]["code"] == 1002


class TestFriends:
    def test_are_added_listed_and_removed(self, rongcloud):
        assert rongcloud("friend/add", userId="ann", targetId="bob", optType=1) == DONE
        described = rongcloud(
            "friend/profile/set",
            userId="ann",
            targetId="bob",
            remarkName="Bobby",
            friendExtProfile='{"ext_met":"work"}',
        )
        assert described == DONE
        assert rongcloud("friend/get", userId="ann") == (
            200,
            {
                "code": 200,
                "totalCount": 1,
                "friendList": [
                    {
                        "userId": "bob",
                        "name": "Bob",
                        "remarkName": "Bobby",
                        "friendExtProfile": '{"ext_met": "work"}',
                        "time": NOON_MS,
                    }
                ],
            },
        )
        assert rongcloud("friend/check", userId="bob", targetIds="ann,cy")[1]["results"] == [
            {"userId": "ann", "result": 4},
            {"userId": "cy", "result": 1},
        ]
        assert rongcloud("friend/delete", userId="bob", targetIds="ann,cy") == DONE
        assert rongcloud("friend/clean", userId="ann") == DONE
        assert not Friendship.objects.exists()

    def test_are_removed_with_either_parameter(self, rongcloud):
        rongcloud("friend/add", userId="ann", targetId="bob", optType=2)
        assert rongcloud("friend/delete", userId="ann", targetId="bob") == DONE
        assert not Friendship.objects.exists()
        assert rongcloud("friend/delete", userId="ann") == (
            400,
            {"code": 1002, "errorMessage": "The body: targetIds is required"},
        )

    def test_are_asked_if_their_permission_requires_it(self, rongcloud):
        set_to = rongcloud("friend/permission/set", userIds="bob,cy", permissionType=2)
        assert set_to == DONE
        assert rongcloud("friend/permission/get", userIds="ann,bob")[1]["permissionSettings"] == [
            {"userId": "ann", "type": 1},
            {"userId": "bob", "type": 2},
        ]
        assert rongcloud("friend/add", userId="ann", targetId="bob", extra="hi") == DONE
        assert FriendRequest.objects.get().message == "hi"
        assert rongcloud("friend/add", userId="ann", targetId="cy", optType=2) == DONE
        assert Friendship.objects.count() == 2

    def test_are_listed_in_pages(self, rongcloud):
        for friend in ("bob", "cy"):
            rongcloud("friend/add", userId="ann", targetId=friend)

        first = rongcloud("friend/get", userId="ann", size=1, order=1)[1]
        second = rongcloud(
            "friend/get", userId="ann", size=1, order=1, pageToken=first["pageToken"]
        )[1]
        assert [page["friendList"][0]["userId"] for page in (first, second)] == ["cy", "bob"]
        assert (first["totalCount"], "pageToken" in second) == (2, False)

    def test_lose_their_remark_without_a_remark_name_and_keep_the_rest(self, rongcloud):
        rongcloud("friend/add", userId="ann", targetId="bob")
        own = {"userId": "ann", "targetId": "bob"}
        rongcloud("friend/profile/set", **own, remarkName="B", friendExtProfile='{"ext_a":"1"}')
        rongcloud("friend/profile/set", **own)

        mine = Friendship.objects.get(owner_id="ann")
        assert (mine.alias, mine.extended) == ("", {"ext_a": "1"})

    @pytest.mark.parametrize(
        ("call", "parameters", "code"),
        [
            ("add", {"targetId": "nobody"}, 400),
            ("add", {"targetId": "ann"}, 1002),
            ("add", {"targetId": "bob", "optType": 3}, 1002),
            ("add", {"targetId": "bob", "extra": "x" * 129}, 1005),
            ("profile/set", {"targetId": "bob"}, 1002),
            ("profile/set", {"targetId": "bob", "remarkName": "x" * 65}, 1005),
            ("permission/get", {"userIds": "ann,nobody"}, 400),
            ("permission/set", {"userIds": "ann", "permissionType": 4}, 1002),
            ("get", {"pageToken": "made up"}, 1002),
            ("clean", {"userId": "nobody"}, 400),
        ],
    )
    def test_refuse_in_the_vendors_words(self, rongcloud, call, parameters, code):
        status, answer = rongcloud(f"friend/{call}", **{"userId": "ann", **parameters})

        assert (status, answer["code"], sorted(answer)) == (400, code, ["code", "errorMessage"])

    def test_of_unknown_users_are_none(self, rongcloud):
        assert rongcloud("friend/get", userId="nobody")[1]["friendList"] == []
        assert rongcloud("friend/check", userId="nobody", targetIds="ann")[1]["results"] == [
            {"userId": "ann", "result": 1}
        ]

    def test_have_custom_fields_within_bounds(self, rongcloud):
        rongcloud("friend/add", userId="ann", targetId="bob")

        def describe(**fields):
            own = {"userId": "ann", "targetId": "bob", "friendExtProfile": json.dumps(fields)}
            return rongcloud("friend/profile/set", **own)[1]["code"]

        assert describe(ext_a="x" * 257) == 1005
        assert describe(**{f"ext_{number}": "" for number in range(11)}) == 1502
        assert describe(ext_a="1", ext_b=None) == 200


class TestTags:
    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/x-www-form-urlencoded"]
    )
    def test_are_set_with_json_and_read_with_a_form(self, rongcloud, content_type):
        def send(call, body):
            return rongcloud.send(f"/user/{call}.json", json.dumps(body), content_type=content_type)

        assert send("tag/set", {"userId": "ann", "tags": ["vip", "张三&="]}) == DONE
        assert send("tag/batch/set", {"userIds": ["bob", "cy"], "tags": ["new"]}) == DONE
        # One of the SDKs sends it so.
        assert send("tag/set", {"userId": "cy", "userIds": None, "tags": []}) == DONE
        assert rongcloud("tags/get", userIds=["ann", "bob", "cy", "dan"]) == (
            200,
            {
                "code": 200,
                "result": {"ann": ["vip", "张三&="], "bob": ["new"], "cy": [], "dan": []},
            },
        )

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", 1003),
            (b"userId=ann&tags=vip", 1002),
            (b'{"userId": "ann"}', 1002),
            (b'{"userId": "ann", "tags": "vip"}', 1501),
            (b'{"userId": "ann", "tags": [1]}', 1501),
            ('{"userId": "ann", "tags": ["' + "张" * 14 + '"]}', 1005),
            (b'{"userId": "ann", "tags": [""]}', 1002),
            (b'{"userId": "a/b", "tags": []}', 1002),
            (b'{"userId": "ann", "userId": "bob", "tags": []}', 1002),
            (b'{"userId": "ann", "tags": ["\xff"]}', 1002),
            (b'{"userId": "ann", "tags": [' + b",".join([b'"x"'] * 21) + b"]}", 1502),
        ],
    )
    def test_are_refused_in_the_vendors_words(self, rongcloud, body, code):
        status, answer = rongcloud.send("/user/tag/set.json", body)

        assert (status, answer["code"]) == (400, code)
        assert not UserTags.objects.exists()


class TestRemarks:
    def test_are_json_in_a_form(self, rongcloud):
        remarks = [{"id": "bob", "remark": "Bobby"}, {"id": "dan", "remark": "张三"}]
        assert rongcloud("remarks/set", userId="ann", remarks=json.dumps(remarks)) == DONE
        assert rongcloud("remarks/get", userId="ann", page=1, size=50) == (
            200,
            {"code": 200, "total": 2, "users": remarks},
        )
        assert rongcloud("remarks/del", userId="ann", targetId="bob") == DONE
        assert rongcloud("remarks/get", userId="ann")[1]["users"] == remarks[1:]

    def test_may_have_capitals_in_their_keys(self, rongcloud):
        """The Go SDK writes them so."""
        remarks = '[{"Id":"bob","Remark":"Bobby"}]'
        assert rongcloud("remarks/set", userId="ann", remarks=remarks) == DONE
        assert rongcloud("remarks/get", userId="ann")[1]["users"] == [
            {"id": "bob", "remark": "Bobby"}
        ]

    @pytest.mark.parametrize(
        ("remarks", "code"),
        [
            ("", 1002),
            ("x", 1501),
            ("{}", 1501),
            ("[]", 1002),
            ('[{"id":"bob"}]', 1002),
            ('["bob"]', 1002),
            ('[{"id":"bob","Id":"cy","remark":"B"}]', 1501),
            ('[{"id":"bob","remark":"' + "x" * 65 + '"}]', 1005),
        ],
    )
    def test_are_a_list_of_ids_and_texts(self, rongcloud, remarks, code):
        assert rongcloud("remarks/set", userId="ann", remarks=remarks)[1]["code"] == code


class TestMutes:
    def rule(self, environment):
        return gates.may_message(
            environment=environment, sender_id="ann", recipient_id="bob", now=NOON
        ).rule

    def test_keep_users_from_writing_until_they_are_lifted(self, rongcloud, environment):
        assert rongcloud("chat/fb/set", userId=["ann", "dan"], state=1, type="PERSON") == DONE
        assert self.rule(environment) == "muted"
        assert rongcloud("chat/fb/querylist", num=1, offset=1, type="PERSON") == (
            200,
            {"code": 200, "total": 2, "users": ["dan"]},
        )
        assert rongcloud("chat/fb/set", userId="ann", state=0) == DONE
        assert self.rule(environment) == "open"
        assert rongcloud("chat/fb/querylist")[1] == {"code": 200, "total": 1, "users": ["dan"]}


class TestQuietPeriods:
    def get(self, rongcloud):
        return rongcloud("blockPushPeriod/get", userId="ann")[1]["data"]

    def test_are_set_shown_and_deleted(self, rongcloud):
        none = {"startTime": "00:00:00", "period": 0, "unPushLevel": 0}
        assert self.get(rongcloud) == none
        period = {"userId": "ann", "startTime": "22:00:00", "period": 480}
        assert rongcloud("blockPushPeriod/set", **period) == DONE
        assert self.get(rongcloud) == {"startTime": "22:00:00", "period": 480, "unPushLevel": 1}
        assert rongcloud("blockPushPeriod/delete", userId="ann") == DONE
        assert self.get(rongcloud) == none

    def test_of_unknown_users_are_accepted_and_not_stored(self, rongcloud):
        period = {"userId": "nobody", "startTime": "22:00:00", "period": 480}
        assert rongcloud("blockPushPeriod/set", **period) == DONE
        assert rongcloud("blockPushPeriod/delete", userId="nobody") == DONE
        shown = rongcloud("blockPushPeriod/get", userId="nobody")[1]["data"]
        assert shown == {"startTime": "00:00:00", "period": 0, "unPushLevel": 0}

    @pytest.mark.parametrize(
        "wrong", [{"startTime": "24:00:00"}, {"startTime": "8"}, {"period": 1440}, {"level": 2}]
    )
    def test_have_bounds(self, rongcloud, wrong):
        period = {"userId": "ann", "startTime": "22:00:00", "period": 480, **wrong}

        assert rongcloud("blockPushPeriod/set", **period)[1]["code"] == 1002


def test_nobody_is_in_a_group(rongcloud):
    assert rongcloud("group/query", userId="ann") == (200, {"code": 200, "groups": []})
