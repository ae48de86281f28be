"""RongCloud's calls, as its SDKs send them."""

from datetime import timedelta

import pytest

from applications.models import AppSecret, AuditEvent
from moderation.lists import MAX_ENTRIES
from moderation.models import AllowlistSwitch, Ban, BlocklistEntry
from tests.api.callers import RongCloud
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
from users.models import AppUser, Connection, DeactivatedUser

DONE = (200, {"code": 200})


def listed(environment, owner_id):
    return list(
        BlocklistEntry.objects.of(environment, owner_id)
        .order_by("-pk")
        .values_list("listed_id", flat=True)
    )


class TestGetToken:
    def test_registers_and_returns_a_token(self, rongcloud, environment):
        status, answer = rongcloud("getToken", userId="ann", name="Ann", portraitUri="http://x/a")

        user = AppUser.objects.get(environment=environment)
        assert (status, sorted(answer)) == (200, ["code", "token", "userId"])
        assert (answer["code"], answer["userId"]) == (200, "ann")
        assert tokens.authenticate(environment=environment, token=answer["token"], now=NOON) == user
        assert (user.name, user.avatar_url, user.registered_at) == ("Ann", "http://x/a", NOON)

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            ("userId=u1&name=张三 a+b&c&portraitUri=https://x.test/p.png?a=1", "张三 a b"),
            ("name=%E5%BC%A0%E4%B8%89%20a%2Bb%26c&userId=u1&portraitUri=", "张三 a+b&c"),
            (
                "userId=u1&name=%E5%BC%A0%E4%B8%89+a%2Bb%26c&portraitUri=https%3A%2F%2Fx",
                "张三 a+b&c",
            ),
        ],
        ids=["Python, raw", "Node", "Java"],
    )
    @pytest.mark.parametrize(
        "content_type",
        ["application/x-www-form-urlencoded", "", "application/json", "multipart/form-data", "x"],
    )
    def test_reads_what_each_sdk_sends(self, rongcloud, body, name, content_type):
        status, _ = rongcloud.send("/user/getToken.json", body.encode(), content_type=content_type)

        assert status == 200
        assert AppUser.objects.get().name == name

    def test_gives_a_known_user_another_token_and_the_new_name(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann", name="Ann", avatar_url="http://x/a")

        tokens_of_ann = {
            rongcloud("getToken", userId="ann", name=name, portraitUri="")[1]["token"]
            for name in ("Ann", "Anna")
        }

        user = AppUser.objects.get()
        assert len(tokens_of_ann) == 2
        assert (user.name, user.avatar_url) == ("Anna", "http://x/a")

    def test_ends_in_the_address_of_the_gateway_if_that_is_set(self, rongcloud, environment):
        environment.vendor_settings = {"rongcloud": {"gateway_address": "https://chat.example.com"}}
        environment.save()
        _, answer = rongcloud("getToken", userId="ann", name="Ann")
        token, _, address = answer["token"].partition("@")
        assert address == "https://chat.example.com"
        assert tokens.authenticate(environment=environment, token=token, now=NOON)

    def test_is_refused_at_the_limit_and_says_how_to_free_places(self, rongcloud, environment):
        make_users(environment=environment, count=100)

        status, answer = rongcloud("getToken", userId="one-more", name="One")

        assert (status, answer["code"]) == (403, 2007)
        assert answer["errorMessage"].startswith("100 of 100 users are registered. Delete test")
        assert rongcloud("getToken", userId="user-00001", name="One")[0] == 200

    def test_is_refused_to_a_deactivated_id(self, rongcloud, environment):
        make_deactivated(environment=environment, user_id="ann")

        status, answer = rongcloud("getToken", userId="ann", name="Ann")

        assert (status, answer) == (400, {"code": 1002, "errorMessage": "Deactivated: ann"})

    def test_costs_two_queries_for_a_known_user(
        self, rongcloud, environment, django_assert_num_queries
    ):
        AppSecret.objects.update(last_used_at=NOON)
        make_user(environment=environment, user_id="ann", name="Ann")

        with django_assert_num_queries(2):  # the secrets with their environment, and the user
            rongcloud("getToken", userId="ann", name="Ann")

    def test_costs_few_queries_for_a_new_user(
        self, rongcloud, environment, django_assert_max_num_queries
    ):
        AppSecret.objects.update(last_used_at=NOON)
        make_users(environment=environment, count=50)

        # Secrets, user; then in one transaction: environment, ids' lock, user again, tombstone,
        # places, user, tally.
        with django_assert_max_num_queries(11):
            assert rongcloud("getToken", userId="ann", name="Ann")[0] == 200


class TestTokenExpire:
    def test_invalidates_tokens_issued_before_the_moment(self, rongcloud, environment):
        for user_id in ("ann", "bob", "cy"):
            make_user(environment=environment, user_id=user_id)
        moment = int((NOON - MINUTE).timestamp() * 1000)

        assert rongcloud("token/expire", userId=["ann", "bob,cy"], time=moment) == DONE
        assert set(AppUser.objects.values_list("tokens_valid_from", flat=True)) == {NOON - MINUTE}

    def test_skips_unknown_users(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann")
        moment = int(NOON.timestamp() * 1000)

        assert rongcloud("token/expire", userId=["nobody", "ann"], time=moment) == DONE
        assert AppUser.objects.get().tokens_valid_from == NOON
        assert rongcloud("token/expire", userId="nobody", time=moment) == DONE

    def test_refuses_a_future_moment_beyond_the_clock_tolerance(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann")
        moment = int(NOON.timestamp() * 1000)

        status, answer = rongcloud("token/expire", userId="ann", time=moment + 5_001)
        assert (status, answer["code"]) == (400, 1002)
        assert AppUser.objects.get().tokens_valid_from is None

        assert rongcloud("token/expire", userId="ann", time=moment + 5_000) == DONE
        assert AppUser.objects.get().tokens_valid_from == NOON


class TestRefresh:
    def test_changes_what_is_sent_and_keeps_what_is_empty(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann", name="Ann", avatar_url="http://x/a")

        assert rongcloud("refresh", userId="ann", name="Anna", portraitUri="") == DONE
        user = AppUser.objects.get()
        assert (user.name, user.avatar_url) == ("Anna", "http://x/a")

        assert rongcloud("refresh", userId="ann", portraitUri="http://x/b") == DONE
        user = AppUser.objects.get()
        assert (user.name, user.avatar_url) == ("Anna", "http://x/b")

    def test_writes_an_audit_line_with_the_call_and_the_key(self, rongcloud, environment):
        make_user(environment=environment, user_id="ann", name="Ann")
        rongcloud("refresh", userId="ann", name="Anna")

        line = AuditEvent.objects.get(type="user.updated")
        assert (line.via, line.actor, line.actor_kind) == (
            "rongcloud user/refresh",
            environment.app_key,
            "app_key",
        )
        assert line.request_id == rongcloud.response["X-Request-ID"]

    def test_refuses_unknown_users(self, rongcloud):
        assert rongcloud("refresh", userId="nobody", name="N")[1]["code"] == 400


class TestInfo:
    def test_shows_name_avatar_and_time(self, rongcloud, environment):
        make_user(
            environment=environment,
            user_id="ann",
            name="Ann",
            avatar_url="http://x/a",
            registered_at=NOON,
        )

        assert rongcloud("info", userId="ann") == (
            200,
            {
                "code": 200,
                "userName": "Ann",
                "userPortrait": "http://x/a",
                "createTime": "2026-03-02 12:00:00",
            },
        )

    def test_formats_times_in_the_installations_time_zone(self, rongcloud, environment, settings):
        settings.API_TIME_ZONE = "Asia/Shanghai"
        make_user(environment=environment, user_id="ann", registered_at=NOON)

        assert rongcloud("info", userId="ann")[1]["createTime"] == "2026-03-02 20:00:00"

    def test_refuses_unknown_users(self, rongcloud):
        assert rongcloud("info", userId="nobody") == (
            400,
            {"code": 400, "errorMessage": "Not registered: nobody"},
        )

    def test_sees_no_user_of_another_environment(self, rongcloud, production):
        make_user(environment=production, user_id="ann")

        assert rongcloud("info", userId="ann")[0] == 400


class TestBlock:
    @pytest.mark.parametrize(
        "body",
        ["userId=u1&userId=u2&minute=30", "minute=30&userId=u1&userId=u2"],
        ids=["Python, PHP", "Node"],
    )
    def test_bans_for_minutes_whether_registered_or_not(self, rongcloud, environment, body):
        make_user(environment=environment, user_id="u1")
        make_connection(environment=environment, user_id="u1")

        assert rongcloud.send("/user/block.json", body) == DONE
        bans = Ban.objects.in_force(NOON).order_by("user_id")
        assert [(ban.user_id, ban.expires_at) for ban in bans] == [
            ("u1", NOON + 30 * MINUTE),
            ("u2", NOON + 30 * MINUTE),
        ]
        assert Connection.objects.get().kicked_at == NOON

    def test_sets_a_new_end_for_banned_users(self, rongcloud, environment):
        make_ban(environment=environment, user_id="u1", expires_at=NOON + DAY)

        assert rongcloud("block", userId="u1", minute=1) == DONE
        assert Ban.objects.in_force(NOON).get().expires_at == NOON + MINUTE

    def test_lasts_at_most_a_month(self, rongcloud):
        assert rongcloud("block", userId="u1", minute=43_200) == DONE
        assert Ban.objects.get().expires_at == NOON + timedelta(days=30)

    def test_bans_nobody_if_one_id_is_invalid(self, rongcloud):
        status, answer = rongcloud("block", userId=["u1", "a/b", "u3"], minute=5)

        assert (status, answer["code"]) == (400, 1002)
        assert "'a/b'" in answer["errorMessage"]
        assert not Ban.objects.exists()

    def test_costs_as_many_queries_for_20_as_for_2(
        self, rongcloud, environment, django_assert_max_num_queries
    ):
        AppSecret.objects.update(last_used_at=NOON)

        # Secrets; then in one transaction: ids' lock, open bans, bans, connections, audit.
        with django_assert_max_num_queries(9) as few:
            rongcloud("block", userId=["a", "b"], minute=5)
        with django_assert_max_num_queries(len(few)):
            rongcloud("block", userId=[f"u{number}" for number in range(20)], minute=5)


class TestUnblock:
    def test_lifts_bans_and_ignores_users_without_one(self, rongcloud, environment):
        make_ban(environment=environment, user_id="u1")

        assert rongcloud("unblock", userId=["u1", "u2"]) == DONE
        assert not Ban.objects.in_force(NOON).exists()


class TestBlockQuery:
    def test_is_empty_without_bans_and_takes_an_empty_body(self, rongcloud):
        assert rongcloud.send("/user/block/query.json") == (200, {"code": 200, "users": []})

    def test_lists_bans_in_force_the_latest_end_first(self, rongcloud, environment):
        for user_id, expires_at in [
            ("soon", NOON + MINUTE),
            ("for-good", None),
            ("later", NOON + DAY),
            ("over", NOON),
        ]:
            make_ban(environment=environment, user_id=user_id, expires_at=expires_at)

        assert rongcloud("block/query")[1]["users"] == [
            {"userId": "for-good", "blockEndTime": "9999-01-01 00:00:00"},
            {"userId": "later", "blockEndTime": "2026-03-03 12:00:00"},
            {"userId": "soon", "blockEndTime": "2026-03-02 12:01:00"},
        ]

    def test_has_pages_on_request(self, rongcloud, environment):
        for number in range(5):
            make_ban(
                environment=environment,
                user_id=f"u{number}",
                expires_at=NOON + number * HOUR + HOUR,
            )

        pages = [
            [user["userId"] for user in rongcloud("block/query", page=page, size=2)[1]["users"]]
            for page in (1, 2, 3, 4)
        ]

        assert pages == [["u4", "u3"], ["u2", "u1"], ["u0"], []]
        assert len(rongcloud("block/query", page=0, size=2)[1]["users"]) == 5

    def test_a_walk_misses_nobody_while_others_are_unbanned(self, rongcloud, environment):
        for number in range(6):
            make_ban(
                environment=environment,
                user_id=f"u{number}",
                expires_at=NOON + number * HOUR + HOUR,
            )

        def page(number):
            return [
                user["userId"] for user in rongcloud("block/query", page=number, size=2)[1]["users"]
            ]

        assert page(1) == ["u5", "u4"]
        rongcloud("unblock", userId=["u5", "u4"])
        assert page(2) == ["u3", "u2"]
        assert page(3) == ["u1", "u0"]
        assert page(1) == ["u3", "u2"]
        assert page(2) == ["u1", "u0"]

    def test_has_a_last_page(self, rongcloud):
        status, answer = rongcloud("block/query", page=2_000_000, size=1000)

        assert (status, answer["code"]) == (400, 1002)


class TestCheckOnline:
    def test_returns_text(self, rongcloud, environment):
        make_connection(environment=environment, user_id="ann")

        assert rongcloud("checkOnline", userId="ann") == (200, {"code": 200, "status": "1"})
        assert rongcloud("checkOnline", userId="bob") == (200, {"code": 200, "status": "0"})


@pytest.mark.parametrize("spelling", ["blacklist", "blocklist"])
class TestBlacklist:
    def test_adds_and_removes(self, rongcloud, environment, spelling):
        body = "userId=u1&blackUserId=b1&blackUserId=b2"
        assert rongcloud.send(f"/user/{spelling}/add.json", body) == DONE
        assert listed(environment, "u1") == ["b2", "b1"]

        assert rongcloud(f"{spelling}/remove", userId="u1", blackUserId=["b1", "b9"]) == DONE
        assert listed(environment, "u1") == ["b2"]

    def test_ignores_its_owner(self, rongcloud, environment, spelling):
        assert rongcloud(f"{spelling}/add", userId="u1", blackUserId=["u1", "b1"]) == DONE
        assert rongcloud(f"{spelling}/add", userId="u1", blackUserId="u1") == DONE
        assert rongcloud(f"{spelling}/remove", userId="u1", blackUserId="u1") == DONE
        assert listed(environment, "u1") == ["b1"]

    def test_is_listed_newest_first_in_pages(self, rongcloud, environment, spelling):
        for number in range(5):
            make_entry(
                BlocklistEntry, environment=environment, owner_id="u1", listed_id=f"b{number}"
            )

        seen, cursor = [], ""
        for _ in range(3):
            answer = rongcloud(f"{spelling}/query", userId="u1", size=2, pageToken=cursor)[1]
            seen += answer["users"]
            cursor = answer.pop("next", "")
            assert sorted(answer) == ["code", "users"]

        assert (seen, cursor) == (["b4", "b3", "b2", "b1", "b0"], "")
        assert rongcloud(f"{spelling}/query", userId="u1")[1] == {"code": 200, "users": seen}


class TestFullBlacklist:
    def test_refuses_the_whole_batch(self, rongcloud, environment):
        BlocklistEntry.objects.bulk_create(
            BlocklistEntry(
                environment=environment,
                owner_id="u1",
                listed_id=f"b{number}",
                added_at=NOON,
                added_by="grace",
            )
            for number in range(MAX_ENTRIES - 1)
        )

        status, answer = rongcloud("blacklist/add", userId="u1", blackUserId=["x", "y"])

        assert (status, answer["code"]) == (400, 1502)
        assert "3,000" in answer["errorMessage"]
        assert rongcloud("blacklist/add", userId="u1", blackUserId=["x"]) == DONE


class TestWhitelist:
    def test_adds_lists_and_removes(self, rongcloud):
        body = "userId=123&whiteUserId=234&whiteUserId=345"
        assert rongcloud.send("/user/whitelist/add.json", body) == DONE
        assert rongcloud("whitelist/query", userId="123") == (
            200,
            {"code": 200, "users": ["345", "234"]},
        )
        assert rongcloud("whitelist/remove", userId="123", whiteUserId="345") == DONE
        assert rongcloud("whitelist/query", userId="123")[1]["users"] == ["234"]


class TestWhitesetting:
    def test_is_switched_and_shown_as_text(self, rongcloud):
        assert rongcloud("whitesetting/set", userId=["ann", "bob"], whiteSetting=1) == DONE
        assert rongcloud("whitesetting/set", userId="bob", whiteSetting=0) == DONE
        assert rongcloud("whitesetting/query", userId=["bob", "ann", "cy"]) == (
            200,
            {
                "code": 200,
                "users": [
                    {"userId": "bob", "whiteSetting": "0"},
                    {"userId": "ann", "whiteSetting": "1"},
                    {"userId": "cy", "whiteSetting": "0"},
                ],
            },
        )
        assert AllowlistSwitch.objects.get().owner_id == "ann"


class TestDeactivate:
    @pytest.mark.parametrize(
        "body",
        ["userId=u01%2Cu02", "userId=u01,u02", "userId=u01&userId=u02", "userId=u01,&userId=u02"],
        ids=["Go", "Java", "PHP", "both"],
    )
    def test_disables_ids_whether_joined_or_repeated(self, rongcloud, environment, body):
        make_user(environment=environment, user_id="u01")

        status, answer = rongcloud.send("/user/deactivate.json", body)

        assert (status, sorted(answer), answer["code"]) == (200, ["code", "operateId"], 200)
        assert set(DeactivatedUser.objects.values_list("user_id", "operation_id")) == {
            ("u01", answer["operateId"]),
            ("u02", answer["operateId"]),
        }
        assert not AppUser.objects.exists()

    def test_takes_at_most_100_ids(self, rongcloud):
        ids = [f"u{number}" for number in range(101)]

        assert rongcloud("deactivate", userId=",".join(ids))[1]["code"] == 1502
        assert rongcloud("deactivate", userId=",".join(ids[:100]))[0] == 200

    def test_needs_a_body(self, rongcloud):
        status, answer = rongcloud.send("/user/deactivate.json")

        assert (status, answer["code"]) == (400, 1003)
        status, answer = rongcloud.send("/user/deactivate.json", "userId=")
        assert (status, answer) == (400, {"code": 1002, "errorMessage": "userId: Field required"})


class TestDeactivatedQuery:
    @pytest.mark.parametrize(
        "path", ["/user/deactivate/query.json", "//user/deactivate/query.json"]
    )
    def test_lists_the_latest_first_in_pages(self, rongcloud, environment, path):
        for number in range(3):
            make_deactivated(
                environment=environment,
                user_id=f"u{number}",
                deactivated_at=NOON - number * HOUR,
                erased_at=None,
            )

        def page(body):
            return rongcloud.send("/", body, PATH_INFO=path)[1]

        assert page("") == {"code": 200, "users": ["u0", "u1", "u2"]}
        assert page("pageNo=2&pageSize=2")["users"] == ["u2"]
        assert page("pageNo=1&pageSize=50")["users"] == ["u0", "u1", "u2"]


class TestReactivate:
    @pytest.mark.parametrize("call", ["reactivate", "activate"])
    def test_enables_the_id_again_and_may_be_repeated(self, rongcloud, environment, call):
        make_deactivated(environment=environment, user_id="ann")

        for _ in range(2):
            status, answer = rongcloud(call, userId="ann")
            assert (status, sorted(answer)) == (200, ["code", "operateId"])

        assert rongcloud("getToken", userId="ann", name="Ann")[0] == 200

    def test_is_refused_during_the_cooling_off_time(self, rongcloud, environment):
        environment.reactivation_cooling_off = HOUR
        environment.save()
        make_deactivated(environment=environment, user_id="ann", deactivated_at=NOON - MINUTE)

        status, answer = rongcloud("reactivate", userId="ann,bob")

        assert (status, answer["code"]) == (400, 1002)
        assert "2026-03-02 12:59:00 UTC: ann" in answer["errorMessage"]
        assert DeactivatedUser.objects.exists()


class TestUserQuery:
    def test_lists_test_users_by_registration(self, rongcloud, environment):
        for number in range(3):
            make_user(
                environment=environment,
                user_id=f"u{number}",
                name=f"N{number}",
                registered_at=NOON + number * MINUTE,
            )

        status, answer = rongcloud("query", page=1, pageSize=2, order=0)

        assert (status, answer["code"], answer["total"]) == (200, 200, 3)
        assert answer["users"][1] == {
            "userId": "u1",
            "userName": "N1",
            "userPortrait": "",
            "regTime": "2026-03-02 12:01:00",
        }
        newest = rongcloud("query", order=1)[1]["users"]
        assert [user["userId"] for user in newest] == ["u2", "u1", "u0"]


class TestDelUsers:
    @pytest.mark.parametrize("body", ["userId=u1%2Cu2", "userId=u1&userId=u2"])
    def test_frees_places(self, rongcloud, environment, body):
        make_user(environment=environment, user_id="u1")
        make_user(environment=environment, user_id="u2")

        assert rongcloud.send("/user/delusers.json", body) == DONE
        assert not AppUser.objects.exists()

    def test_skips_unknown_users(self, rongcloud, environment):
        make_user(environment=environment, user_id="u1")

        assert rongcloud("delusers", userId="nobody,u1") == DONE
        assert not AppUser.objects.exists()
        assert rongcloud("delusers", userId="nobody") == DONE


class TestProduction:
    @pytest.mark.parametrize("call", ["query", "delusers"])
    def test_refuses_the_calls_for_test_users(self, production, at_noon, call):
        production.deletion_unlocked_until = NOON + DAY  # applies to Agora's calls alone
        production.save()
        make_user(environment=production, user_id="ann")

        status, answer = RongCloud(production)(call, userId="ann")

        assert (status, answer["code"]) == (401, 1007)
        assert AppUser.objects.exists()
