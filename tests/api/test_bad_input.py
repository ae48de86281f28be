"""Bad input gets the vendor's own error and changes nothing."""

import json

import pytest

from applications import environments
from applications.models import Environment
from moderation.models import Ban, BlocklistEntry
from tests.factories import NOON, make_user, staff_actor
from users.models import AppUser, DeactivatedUser

LONG_ID = "u" * 65
MANY_IDS = [f"u{number}" for number in range(21)]
NUL_ID = "u\x00"
BAD_IDS = ["a/b", "a b", "a,b", NUL_ID, "é", "..", "'; DROP TABLE", "\u202e", "😀"]

# (RongCloud's call, Nexconn's call).
TOKEN = ("getToken", "auth/access-token/issue")
BAN = ("block", "user/ban")
UNBAN = ("unblock", "user/unban")
EXPIRE = ("token/expire", "auth/access-token/expire")
DEACTIVATE = ("deactivate", "user/soft-delete")


@pytest.fixture(params=["rongcloud", "nexconn"])
def ask(request, rongcloud, nexconn):
    """Makes a call to either vendor. The call is a pair of names; parameters have common names."""
    position, caller = {"rongcloud": (0, rongcloud), "nexconn": (1, nexconn)}[request.param]
    words = {
        "avatar": ("portraitUri", "avatarUrl"),
        "ids": ("userId", "userIds"),
        "minutes": ("minute", "durationMinutes"),
        "before": ("time", "expiresAt"),
        "id": ("userId", "userId"),
        "name": ("name", "name"),
        "listed": ("blackUserId", "targetUserIds"),
        "size": ("size", "pageSize"),
        "cursor": ("pageToken", "pageToken"),
        "page": ("page", "page"),
        "page_of_deactivated": ("pageNo", "page"),
        "size_of_deactivated": ("pageSize", "pageSize"),
    }

    def ask(call, **parameters):
        status, answer = caller(
            call[position], **{words[name][position]: value for name, value in parameters.items()}
        )
        assert sorted(answer) == ["code", "errorMessage"], answer
        assert not AppUser.objects.exists()
        assert not Ban.objects.exists()
        assert not BlocklistEntry.objects.exists()
        assert not DeactivatedUser.objects.exists()
        return answer["code"], status

    # A few codes differ: (RongCloud's, Nexconn's).
    ask.refusal = lambda *codes: (codes[position], 400)
    ask.caller = caller
    return ask


TOO_MANY = (1502, 1002)
WRONG_TYPE = (1501, 1002)


class TestUserIds:
    @pytest.mark.parametrize("user_id", BAD_IDS)
    def test_have_permitted_characters_only(self, ask, user_id):
        assert ask(TOKEN, id=user_id, name="Ann") == (1002, 400)

    @pytest.mark.parametrize("user_id", [LONG_ID, "u" * 5000, "é" * 33])
    def test_must_not_be_too_long(self, ask, user_id):
        assert ask(TOKEN, id=user_id, name="Ann") == (1005, 400)
        assert ask(BAN, ids=["ann", user_id], minutes=5) == (1005, 400)
        assert ask(UNBAN, ids=[user_id]) == (1005, 400)

    def test_must_not_be_too_many(self, ask):
        too_many = ask.refusal(*TOO_MANY)
        assert ask(BAN, ids=MANY_IDS, minutes=5) == too_many
        assert ask(EXPIRE, ids=MANY_IDS, before=1) == too_many
        listing = ("blacklist/add", "user/blocklist/add")
        assert ask(listing, id="ann", listed=MANY_IDS) == too_many

    def test_are_required(self, ask):
        assert ask(TOKEN, name="Ann") == (1002, 400)
        assert ask(BAN, minutes=5) == (1002, 400)
        assert ask(BAN, ids=[], minutes=5) == (1002, 400)
        # An empty list leaves an empty form.
        assert ask(DEACTIVATE, ids=[]) == ask.refusal(1003, 1002)

    @pytest.mark.parametrize("user_id", ["a/b", NUL_ID])
    def test_are_checked_in_calls_that_only_read(self, ask, user_id):
        for call in [
            ("info", "user/get"),
            ("checkOnline", "user/connection-status/get"),
            ("blacklist/query", "user/blocklist/get"),
            ("refresh", "user/update"),
        ]:
            assert ask(call, id=user_id) == (1002, 400)

    def test_refuse_the_whole_batch(self, ask):
        assert ask(BAN, ids=["good", "b/ad", "fine"], minutes=5) == (1002, 400)
        assert ask(DEACTIVATE, ids=["good", "b/ad"]) == (1002, 400)


class TestNamesAndAvatars:
    def test_a_name_is_required(self, ask):
        assert ask(TOKEN, id="ann") == (1002, 400)
        assert ask(TOKEN, id="ann", name="") == (1002, 400)

    def test_a_name_has_at_most_64_characters(self, ask):
        assert ask(TOKEN, id="ann", name="张" * 65) == (1005, 400)

    def test_an_avatar_has_at_most_1024_bytes(self, ask):
        assert ask(TOKEN, id="ann", name="Ann", avatar="é" * 513) == (1005, 400)

    def test_100_kilobytes_are_too_long(self, ask):
        assert ask(TOKEN, id="ann", name="x" * 100_000) == (1005, 400)
        assert ask(TOKEN, id="ann", name="Ann", avatar="x" * 100_000) == (1005, 400)

    @pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\x1b[2J"])
    def test_have_no_control_characters(self, ask, text):
        assert ask(TOKEN, id="ann", name=text) == (1002, 400)
        assert ask(TOKEN, id="ann", name="Ann", avatar=text) == (1002, 400)


class TestNumbers:
    @pytest.mark.parametrize("minutes", [0, -1, 43_201, 10**30, ""])
    def test_a_ban_lasts_1_to_43_200_minutes(self, ask, minutes):
        assert ask(BAN, ids=["ann"], minutes=minutes) == ask.refusal(1002, 1003)

    @pytest.mark.parametrize("minutes", ["soon", 1.5, "1_0", "+10", " 10", "٣", "1e1", "0x1"])
    def test_a_number_is_written_in_plain_digits(self, ask, minutes):
        assert ask(BAN, ids=["ann"], minutes=minutes) == ask.refusal(1501, 1003)

    def test_a_ban_requires_minutes(self, ask):
        assert ask(BAN, ids=["ann"]) == (1002, 400)

    @pytest.mark.parametrize("moment", [-1, 10**15, 10**400, ""])
    def test_a_moment_is_milliseconds_up_to_the_year_9999(self, ask, moment):
        assert ask(EXPIRE, ids=["ann"], before=moment) == (1002, 400)
        assert ask(EXPIRE, ids=["ann"], before="yesterday") == ask.refusal(*WRONG_TYPE)

    @pytest.mark.parametrize("size", [0, -5, 1001, 10**30])
    def test_a_page_size_has_bounds(self, ask, size):
        assert ask(("blacklist/query", "user/blocklist/get"), id="ann", size=size) == (1002, 400)
        bans = ("block/query", "user/ban/list")
        assert ask(bans, page=1, size=size) == (1002, 400)

    def test_a_page_of_deactivated_users_has_at_most_50(self, ask):
        deactivated = ("deactivate/query", "user/soft-deleted/list")
        assert ask(deactivated, size_of_deactivated=51) == (1002, 400)
        assert ask(deactivated, page_of_deactivated=0) == (1002, 400)
        assert ask(deactivated, page_of_deactivated=10**12) == (1002, 400)

    @pytest.mark.parametrize("cursor", ["x", "\x00", "../..", "W10", "é", "a" * 10_000])
    def test_a_cursor_belongs_to_the_list(self, ask, cursor):
        call = ("blacklist/query", "user/blocklist/get")
        assert ask(call, id="ann", cursor=cursor) == (1002, 400)


class TestForms:
    @pytest.mark.parametrize("body", [b"userId=%FF&name=x", b"userId=\xff\xfe&name=x"])
    def test_must_be_utf_8(self, rongcloud, body):
        status, answer = rongcloud.send("/user/getToken.json", body)

        assert (status, answer) == (400, {"code": 1002, "errorMessage": "The body is not UTF-8"})

    def test_have_a_maximum_number_of_parameters(self, rongcloud):
        status, answer = rongcloud.send("/user/block.json", "userId=a&" * 2000)

        assert (status, answer["code"]) == (400, 1002)

    @pytest.mark.parametrize("body", [b"&&&", b"=", b"nonsense", b'{"userId":"ann"}', b"\x00"])
    def test_without_parameters_are_refused(self, rongcloud, body):
        status, answer = rongcloud.send("/user/info.json", body)

        assert (status, answer["code"]) == (400, 1002)

    def test_that_are_empty_have_their_own_code(self, rongcloud):
        for path in ("/user/info.json", "/user/tag/set.json"):
            assert rongcloud.send(path) == (
                400,
                {"code": 1003, "errorMessage": "No parameters were posted"},
            )

    def test_are_less_than_100_kilobytes(self, rongcloud):
        status, answer = rongcloud.send("/user/block/query.json", b"a" * 102_400)
        assert (status, answer["code"]) == (413, 1508)
        assert rongcloud.send("/user/block/query.json", b"a" * 102_399)[0] == 200

    def test_may_begin_with_an_ampersand(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann")

        assert rongcloud.send("/user/info.json", "&userId=ann")[0] == 200

    def test_ignore_unknown_parameters(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann")

        assert rongcloud("info", userId="ann", extra="1", code="500")[0] == 200

    def test_take_the_last_of_repeated_parameters(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann")

        assert rongcloud("info", userId=["bob", "ann"])[0] == 200


class TestJSON:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"null",
            b"3",
            b"{'userId': 'ann'}",
            b'{"userId": "ann",}',
            b'{"userId": "ann", "userId": "bob"}',
            b'{"userId": NaN}',
            b'{"userId": "\xff"}',
            b'\xef\xbb\xbf{"userId": "ann"}',
            '{"userId": "ann"}'.encode("utf-16"),
            b'{"userId": "\\ud800"}',
            b'{"userId": ' + b"9" * 5000 + b"}",
            b'{"userId": ' + b"[" * 100_000,
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
            b"userId=ann",
            b"\x00",
        ],
        ids=lambda body: repr(body[:24]),
    )
    def test_must_be_one_object_with_each_key_once(self, nexconn, body):
        status, answer = nexconn.send("/v4/user/get", body)

        assert (status, answer["code"]) == (400, 1002)
        assert sorted(answer) == ["code", "errorMessage"]

    @pytest.mark.parametrize(
        "members",
        [
            {"userIds": "ann", "durationMinutes": 5},
            {"userIds": ["ann", 7], "durationMinutes": 5},
            {"userIds": [["ann"]], "durationMinutes": 5},
            {"userIds": {"0": "ann"}, "durationMinutes": 5},
            {"userIds": ["ann"], "durationMinutes": "5"},
            {"userIds": ["ann"], "durationMinutes": True},
            {"userIds": ["ann"], "durationMinutes": 5.0},
            {"userIds": ["ann"], "durationMinutes": None},
            {"userIds": None, "durationMinutes": 5},
        ],
    )
    def test_has_strict_types(self, nexconn, members):
        status, answer = nexconn("user/ban", **members)

        assert (status, answer["code"]) in {(400, 1002), (400, 1003)}
        assert not Ban.objects.exists()

    def test_ignores_unknown_members(self, nexconn, environment):
        make_user(environment=environment, user_id="ann")

        assert nexconn("user/get", userId="ann", extra={"deep": []})[0] == 200

    def test_error_names_the_member_and_not_its_class(self, nexconn):
        answer = nexconn("user/ban", userIds=["ann"], durationMinutes=0)[1]

        assert answer["errorMessage"] == (
            "durationMinutes: Input should be greater than or equal to 1"
        )


class TestCredentials:
    @pytest.mark.parametrize("missing", ["Nonce", "Timestamp", "Signature"])
    def test_a_missing_header_is_a_bad_signature(self, ask, missing):
        ask.caller.headers = {**ask.caller.headers, missing: ""}

        assert ask(BAN, ids=["ann"], minutes=5) == (1004, 401)

    def test_a_wrong_signature_is_refused_before_the_body_is_read(self, ask):
        ask.caller.headers = {**ask.caller.headers, "Signature": "0" * 40}

        assert ask(BAN) == (1004, 401)

    @pytest.mark.parametrize("key", ["", "unknown", "x" * 1000])
    def test_an_unknown_app_key_is_a_bad_parameter(self, ask, key):
        ask.caller.headers = {**ask.caller.headers, "App-Key": key}

        assert ask(BAN) == (1002, 400)

    def test_the_app_key_of_the_other_environment_is_a_bad_signature(self, ask, environment):
        other = Environment.objects.get(application=environment.application, kind="production")
        ask.caller.headers = {**ask.caller.headers, "App-Key": other.app_key}

        assert ask(BAN) == (1004, 401)

    def test_a_door_can_be_closed(self, rongcloud, nexconn, environment, at_noon):
        environments.enable_vendors(
            application=environment.application, names=["agora"], by=staff_actor(), now=NOON
        )

        assert rongcloud("block/query")[0] == 430
        assert nexconn("user/ban/list")[0] == 430
        assert json.loads(nexconn.response.content)["code"] == 1009
