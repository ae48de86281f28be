"""Nexconn's calls about users, bans and blocklists, as its SDKs send them."""

import pytest

from applications.models import AppSecret
from moderation.models import Ban, BlocklistEntry
from tests.api.nexconn.answers import DONE, result
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_entry,
    make_user,
    make_users,
)
from users import tokens
from users.models import AppUser, DeactivatedUser


class TestIssue:
    def test_registers_and_answers_with_a_token(self, nexconn, environment):
        body = '{"userId": "u1", "name": "\\u5f20\\u4e09", "avatarUrl": "https://x.test/a.png"}'

        issued = result(nexconn.send("/v4/auth/access-token/issue", body))

        user = AppUser.objects.get(environment=environment)
        assert sorted(issued) == ["accessToken", "userId"]
        assert issued["userId"] == "u1"
        assert (
            tokens.authenticate(environment=environment, token=issued["accessToken"], now=NOON)
            == user
        )
        assert (user.name, user.avatar_url) == ("张三", "https://x.test/a.png")

    @pytest.mark.parametrize(
        "content_type", ["application/json", "", "text/plain", "x/y; charset=latin-1"]
    )
    def test_reads_json_whatever_its_content_type(self, nexconn, content_type):
        body = '{"userId": "u1", "name": "é"}'.encode()

        result(nexconn.send("/v4/auth/access-token/issue", body, content_type=content_type))
        assert AppUser.objects.get().name == "é"

    def test_replaces_name_and_avatar_where_they_are_given(self, nexconn, environment):
        make_user(environment=environment, user_id="ann", name="Ann", avatar_url="http://x/a")

        nexconn("auth/access-token/issue", userId="ann", name="Anna", avatarUrl=None)
        user = AppUser.objects.get()
        assert (user.name, user.avatar_url) == ("Anna", "http://x/a")

        nexconn("auth/access-token/issue", userId="ann", name="Anna", avatarUrl="")
        assert AppUser.objects.get().avatar_url == ""

    def test_is_refused_at_the_limit_and_says_how_to_free_places(self, nexconn, environment):
        make_users(environment=environment, count=100)

        status, answer = nexconn("auth/access-token/issue", userId="one-more", name="One")

        assert (status, answer["code"]) == (403, 2007)
        assert answer["errorMessage"].startswith("100 of 100 users are registered. Delete test")

    def test_costs_two_queries_for_a_known_user(
        self, nexconn, environment, django_assert_num_queries
    ):
        AppSecret.objects.update(last_used_at=NOON)
        make_user(environment=environment, user_id="ann", name="Ann")

        with django_assert_num_queries(2):  # the secrets with their environment; the user
            nexconn("auth/access-token/issue", userId="ann", name="Ann")


class TestExpire:
    def test_kills_tokens_issued_before_the_moment(self, nexconn, environment):
        make_user(environment=environment, user_id="ann")
        moment = int((NOON - MINUTE).timestamp() * 1000)

        assert nexconn("auth/access-token/expire", userIds=["ann"], expiresAt=moment) == DONE
        assert AppUser.objects.get().tokens_valid_from == NOON - MINUTE

    def test_skips_the_unknown_and_refuses_a_moment_ahead(self, nexconn, environment):
        make_user(environment=environment, user_id="ann")
        now = int(NOON.timestamp() * 1000)
        both = {"userIds": ["nobody", "ann"]}

        assert nexconn("auth/access-token/expire", **both, expiresAt=now + 3_600_000) == (
            400,
            {"code": 1002, "errorMessage": "2026-03-02 13:00:00 UTC is still to come"},
        )
        assert AppUser.objects.get().tokens_valid_from is None
        assert nexconn("auth/access-token/expire", **both, expiresAt=now) == DONE
        assert AppUser.objects.get().tokens_valid_from == NOON


class TestGetAndUpdate:
    def test_show_and_change_a_user(self, nexconn, environment):
        make_user(environment=environment, user_id="ann", name="Ann", registered_at=NOON)

        assert nexconn("user/update", userId="ann", avatarUrl="http://x/a") == DONE
        assert result(nexconn("user/get", userId="ann")) == {
            "name": "Ann",
            "avatarUrl": "http://x/a",
            "createdAt": "2026-03-02 12:00:00",
        }

    @pytest.mark.parametrize("call", ["user/get", "user/update"])
    def test_refuse_the_unknown(self, nexconn, call):
        assert nexconn(call, userId="nobody") == (
            400,
            {"code": 400, "errorMessage": "Not registered: nobody"},
        )


class TestBan:
    def test_bans_unbans_and_lists(self, nexconn, environment):
        assert nexconn("user/ban", userIds=["u1", "u2"], durationMinutes=30) == DONE
        make_ban(environment=environment, user_id="for-good", expires_at=None)
        make_ban(environment=environment, user_id="over", expires_at=NOON)
        assert nexconn("user/unban", userIds=["u1", "nobody"]) == DONE

        assert result(nexconn("user/ban/list", pageSize=50)) == {
            "bannedUsers": [
                {"userId": "for-good", "banExpiresAt": "9999-01-01 00:00:00"},
                {"userId": "u2", "banExpiresAt": "2026-03-02 12:30:00"},
            ]
        }

    def test_list_has_pages_on_demand_and_needs_no_body(self, nexconn, environment):
        for number in range(3):
            make_ban(
                environment=environment, user_id=f"u{number}", expires_at=NOON + DAY + number * HOUR
            )

        def ids(answer):
            return [user["userId"] for user in result(answer)["bannedUsers"]]

        assert ids(nexconn("user/ban/list", page=2, pageSize=2)) == ["u0"]
        assert ids(nexconn("user/ban/list", pageSize=2)) == ["u2", "u1", "u0"]
        assert ids(nexconn("user/ban/list", page=0, pageSize=2)) == ["u2", "u1", "u0"]
        assert ids(nexconn.send("/v4/user/ban/list")) == ["u2", "u1", "u0"]


class TestConnectionStatus:
    @pytest.mark.parametrize("call", ["user/connection-status/get", "user/online-status/get"])
    def test_answers_with_text_on_both_paths(self, nexconn, environment, call):
        make_connection(environment=environment, user_id="ann")

        assert result(nexconn(call, userId="ann")) == {"status": "1"}
        assert result(nexconn(call, userId="bob")) == {"status": "0"}


class TestSoftDelete:
    def test_disables_lists_and_restores(self, nexconn, environment):
        make_user(environment=environment, user_id="u1")

        operation = result(nexconn("user/soft-delete", userIds=["u1"]))
        assert sorted(operation) == ["operationId"]
        assert DeactivatedUser.objects.get().operation_id == operation["operationId"]
        assert nexconn("auth/access-token/issue", userId="u1", name="U")[1]["code"] == 1002
        assert result(nexconn("user/soft-deleted/list")) == {"userIds": ["u1"]}

        assert sorted(result(nexconn("user/restore", userIds=["u1", "u2"]))) == ["operationId"]
        assert result(nexconn.send("/v4/user/soft-deleted/list")) == {"userIds": []}
        assert nexconn("auth/access-token/issue", userId="u1", name="U")[0] == 200

    def test_list_has_pages(self, nexconn, environment):
        for number in range(3):
            make_deactivated(
                environment=environment, user_id=f"u{number}", deactivated_at=NOON - number * HOUR
            )

        assert result(nexconn("user/soft-deleted/list", page=2, pageSize=2)) == {"userIds": ["u2"]}

    def test_restore_waits_for_the_cooling_off_time(self, nexconn, environment):
        environment.reactivation_cooling_off = HOUR
        environment.save()
        make_deactivated(environment=environment, user_id="ann", deactivated_at=NOON - MINUTE)

        status, answer = nexconn("user/restore", userIds=["ann"])

        assert (status, answer["code"]) == (400, 1002)
        assert DeactivatedUser.objects.exists()


class TestBlocklist:
    def test_adds_and_removes(self, nexconn, environment):
        assert nexconn("user/blocklist/add", userId="u1", targetUserIds=["b1", "b2"]) == DONE
        assert nexconn("user/blocklist/remove", userId="u1", blockedUserIds=["b1"]) == DONE
        assert BlocklistEntry.objects.of(environment, "u1").get().listed_id == "b2"

    @pytest.mark.parametrize(
        ("order", "expected"), [(0, ["b2", "b1", "b0"]), (1, ["b0", "b1", "b2"])]
    )
    def test_is_listed_in_pages(self, nexconn, environment, order, expected):
        for number in range(3):
            make_entry(
                BlocklistEntry, environment=environment, owner_id="u1", listed_id=f"b{number}"
            )

        first = result(nexconn("user/blocklist/get", userId="u1", pageSize=2, order=order))
        assert sorted(first) == ["blockedUserIds", "pageToken"]
        token = first["pageToken"]
        second = result(
            nexconn("user/blocklist/get", userId="u1", pageSize=2, order=order, pageToken=token)
        )

        assert first["blockedUserIds"] + second["blockedUserIds"] == expected
        assert second["pageToken"] == ""

    def test_takes_ones_own_id_and_ignores_it(self, nexconn, environment):
        assert nexconn("user/blocklist/add", userId="u1", targetUserIds=["u1", "b1"]) == DONE
        assert nexconn("user/blocklist/remove", userId="u1", blockedUserIds=["u1"]) == DONE
        assert BlocklistEntry.objects.of(environment, "u1").get().listed_id == "b1"

    def test_lists_nobody_where_one_id_is_bad(self, nexconn):
        status, answer = nexconn("user/blocklist/add", userId="u1", targetUserIds=["b1", "b 2"])

        assert (status, answer["code"]) == (400, 1002)
        assert "'b 2'" in answer["errorMessage"]
        assert not BlocklistEntry.objects.exists()


class TestAllowlist:
    def test_is_not_part_of_this_api(self, nexconn):
        assert nexconn("user/allowlist/add", userId="u1", targetUserIds=["b1"])[0] == 404


class TestBans:
    def test_last_as_long_as_they_are_long(self, nexconn):
        assert nexconn("user/ban", userIds=["u1"], durationMinutes=43_200) == DONE
        assert Ban.objects.get().expires_at == NOON + 30 * DAY
