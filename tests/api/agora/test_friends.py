"""Agora Chat's calls about contacts."""

import pytest

from tests.factories import NOON, make_token, make_user
from users import friends
from users.models import AppUser, FriendPermission, FriendRequest, Friendship

BOTH = {"action", "timestamp", "duration"}
APPLICATION = {"application", "organization", "applicationName"}


@pytest.fixture(autouse=True)
def users(agora):
    return {
        user_id: make_user(environment=agora.environment, user_id=user_id)
        for user_id in ("ann", "bob", "cy", "dee")
    }


class TestContacts:
    def test_are_added_and_removed_on_both_sides(self, agora, users):
        status, body = agora("POST", "users/ann/contacts/users/Bob")
        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, "path", "uri", "entities"}
        assert body["path"] == f"/users/{users['ann'].uuid}/contacts"
        assert body["uri"].endswith(f"/development/users/{users['ann'].uuid}/contacts")
        assert body["entities"][0]["username"] == "bob"

        agora("POST", "users/ann/contacts/users/cy")
        body = agora("GET", "users/ann/contacts/users")[1]
        assert set(body) == {*BOTH, "uri", "entities", "data", "count"}
        assert (body["data"], body["count"], body["entities"]) == (["cy", "bob"], 2, [])
        assert agora("GET", "users/bob/contacts/users")[1]["data"] == ["ann"]

        for _ in range(2):
            assert agora("DELETE", "users/bob/contacts/users/ann")[0] == 200
        assert agora("GET", "users/ann/contacts/users")[1]["data"] == ["cy"]

    @pytest.mark.parametrize("path", ["nobody/contacts/users/ann", "ann/contacts/users/nobody"])
    def test_of_unknown_users_are_404(self, agora, path):
        for method in ("POST", "DELETE"):
            assert agora(method, f"users/{path}")[0] == 404

    def test_cannot_be_oneself(self, agora):
        assert agora("POST", "users/ann/contacts/users/ann")[0] == 400

    def test_have_a_limit(self, agora, monkeypatch):
        monkeypatch.setattr(friends, "MAX_FRIENDS", 1)
        agora("POST", "users/ann/contacts/users/bob")
        status, body = agora("POST", "users/ann/contacts/users/cy")

        assert (status, body["error"]) == (403, "exceed_limit")
        assert body["error_description"] == "Inviter's contact max count"
        body = agora("POST", "users/cy/contacts/users/ann")[1]
        assert body["error_description"] == "Invitee's contact max count"

    def test_may_be_refused_to_a_user_but_not_to_the_app(self, agora, users):
        AppUser.objects.filter(user_id="bob").update(friend_permission=FriendPermission.NOBODY)
        path = "users/ann/contacts/users/bob"

        assert agora("POST", path, token=make_token(users["ann"]))[0] == 403
        assert agora("POST", path)[0] == 200


class TestAllWithRemarks:
    def test_are_entities_on_request(self, agora):
        for name in ("bob", "cy"):
            agora("POST", f"users/ann/contacts/users/{name}")
        agora("PUT", "users/ann/contacts/users/bob", {"remark": "Bobby"})

        status, body = agora("GET", "users/ann/contacts/users?needReturnRemark=true")

        assert status == 200
        assert set(body) == {*BOTH, "uri", "entities", "data", "count"}
        assert (body["data"], body["count"]) == (["cy", "bob"], 2)
        assert body["entities"] == [
            {"username": "cy", "remark": ""},
            {"username": "bob", "remark": "Bobby"},
        ]
        for absent in ("needReturnRemark=", "needReturnRemark=false", ""):
            assert agora("GET", f"users/ann/contacts/users?{absent}")[1]["entities"] == []
            assert agora("GET", f"users/ann/contacts?{absent}")[0] == 200


class TestRequests:
    """With a user's own token and the resource in the query, as web clients do."""

    @pytest.fixture
    def ask(self, agora, users):
        def ask(user_id, verb, body=None):
            path = f"users/{user_id}/contacts/{verb}?resource=webim_web_1"
            return agora("POST", path, body, token=make_token(users[user_id]))

        return ask

    @pytest.fixture
    def contacts(self, agora):
        return lambda user_id: agora("GET", f"users/{user_id}/contacts/users")[1]["data"]

    def test_make_both_contacts_once_the_other_accepts(self, agora, ask, contacts):
        status, body = ask("ann", "apply", {"usernames": ["Bob"], "reason": "hi"})
        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, "path", "uri", "data"}
        assert (body["action"], body["path"]) == ("post", "/users/ann/contacts/apply")
        assert body["data"] == {"applyContacts": ["bob"]}
        assert FriendRequest.objects.get().message == "hi"
        assert contacts("ann") == []

        status, body = ask("bob", "accept/users/ann")
        assert status == 200
        assert set(body) == {*BOTH, *APPLICATION, "path", "uri", "data"}
        assert body["path"] == "/users/bob/contacts/accept/users/ann"
        assert body["data"] == {"acceptContacts": ["ann"]}
        assert (contacts("ann"), contacts("bob")) == (["bob"], ["ann"])
        assert not FriendRequest.objects.exists()

    def test_end_once_the_other_declines(self, ask, contacts):
        ask("ann", "apply", {"usernames": ["bob"]})
        status, body = ask("bob", "decline/users/ann")

        assert (status, body["data"]) == (200, {"declineContacts": ["ann"]})
        assert not FriendRequest.objects.exists()
        assert contacts("bob") == []

    def test_cannot_be_accepted_by_their_sender(self, ask, contacts):
        ask("ann", "apply", {"usernames": ["bob"]})

        assert ask("ann", "accept/users/bob")[0] == 200
        assert contacts("ann") == []

    def test_from_both_sides_make_contacts(self, ask, contacts):
        ask("ann", "apply", {"usernames": ["bob"]})
        ask("bob", "apply", {"usernames": ["ann"]})

        assert contacts("ann") == ["bob"]

    @pytest.mark.parametrize("verb", ["accept/users/bob", "decline/users/bob"])
    def test_that_do_not_exist_are_accepted_or_declined_without_effect(self, ask, contacts, verb):
        assert ask("ann", verb)[0] == 200
        assert contacts("ann") == []

    def test_are_refused_in_the_vendors_words(self, agora, ask, users, monkeypatch):
        for verb in ("accept/users/nobody", "decline/users/nobody"):
            assert ask("ann", verb)[0] == 404
        assert ask("ann", "apply", {"usernames": ["nobody"]})[0] == 404
        for names in ([], ["bob", "cy"], ["ann"], "bob"):
            assert ask("ann", "apply", {"usernames": names})[0] == 400
        path = "users/bob/contacts/apply"
        assert agora("POST", path, {"usernames": ["cy"]}, token=make_token(users["ann"]))[0] == 401

        ask("ann", "apply", {"usernames": ["bob"]})
        agora("POST", "users/ann/contacts/users/cy")
        monkeypatch.setattr(friends, "MAX_FRIENDS", 1)
        status, body = ask("bob", "accept/users/ann")
        assert (status, body["error_description"]) == (403, "Inviter's contact max count")


class TestPages:
    @pytest.mark.parametrize("base", ["user", "users"])
    def test_show_remarks_when_asked(self, agora, base):
        for name in ("bob", "cy", "dee"):
            agora("POST", f"users/ann/contacts/users/{name}")
        remark = {"remark": "ü" * 100}
        status, body = agora("PUT", f"{base}/ann/contacts/users/cy", remark)
        assert status == 200
        assert set(body) == {*BOTH, "uri", "status"}
        assert body["status"] == "ok"

        path = f"{base}/ann/contacts?needReturnRemark=true&limit=2"
        first = agora("GET", path + "&cursor=")[1]
        assert first["data"]["contacts"] == [
            {"username": "dee", "remark": None},
            {"username": "cy", "remark": "ü" * 100},
        ]
        assert first["cursor"] == first["data"]["cursor"]
        last = agora("GET", f"{base}/ann/contacts?cursor={first['cursor']}")[1]
        assert last["data"] == {"contacts": [{"username": "bob"}]}
        assert "cursor" not in last

    def test_have_at_most_fifty(self, agora):
        status, body = agora("GET", "user/ann/contacts?limit=51")

        assert (status, body["error_description"]) == (400, "page size more than max limit : 50")

    @pytest.mark.parametrize("body", [{}, {"remark": 1}, {"remark": "r" * 101}])
    def test_refuse_invalid_remarks(self, agora, body):
        agora("POST", "users/ann/contacts/users/bob")

        assert agora("PUT", "user/ann/contacts/users/bob", body)[0] == 400

    def test_refuse_a_long_remark_with_the_text_that_web_clients_know(self, agora):
        agora("POST", "users/ann/contacts/users/bob")
        answer = agora("PUT", "users/ann/contacts/users/bob", {"remark": "r" * 101})[1]

        assert answer["error_description"].startswith("remark length must less")

    def test_refuse_a_remark_about_a_user_who_is_no_contact(self, agora):
        status, body = agora("PUT", "user/ann/contacts/users/bob", {"remark": "Bobby"})

        assert (status, body["error"]) == (400, "illegal_argument")
        assert body["error_description"].startswith("updateRemark | they are not friends")


class TestImport:
    def test_reports_each_name(self, agora, monkeypatch):
        monkeypatch.setattr(friends, "MAX_FRIENDS", 2)
        names = ["bob", "nobody", "ann", "cy", "dee"]
        status, body = agora("POST", "users/ann/contacts/import", {"usernames": names})

        assert status == 200
        assert set(body) == {*BOTH, "status", "data"}
        assert body["data"] == {
            "success": ["bob", "cy"],
            "NotExistFailed": ["nobody"],
            "maxLimitFailed": ["dee"],
            "UnKnowFailed": ["ann"],
        }
        assert Friendship.objects.filter(added_at=NOON).count() == 4

    def test_takes_at_most_ten(self, agora):
        status, body = agora("POST", "users/ann/contacts/import", {"usernames": ["bob"] * 11})

        assert (status, body["error_description"]) == (400, "request user over flow limit:10.")


class TestChecks:
    """Easemob's two calls that check which names are on a user's lists."""

    def test_tell_contacts_from_others_in_the_order_of_the_request(self, agora, users):
        agora("POST", "users/ann/contacts/users/bob")
        body = {"username": "Ann", "check_list": ["nobody", "Bob", "cy", "ann"]}

        status, answer = agora("POST", "contacts/check", body)

        assert (status, answer["path"]) == (200, "/contacts/check")
        assert answer["entities"] == [
            {"username": "nobody", "relation": "not_friend"},
            {"username": "Bob", "relation": "friend"},
            {"username": "cy", "relation": "not_friend"},
            {"username": "ann", "relation": "not_friend"},
        ]

    def test_find_blocked_users_on_the_users_own_list(self, agora, users):
        agora("POST", "users/ann/blocks/users", {"usernames": ["bob"]})

        for owner, other, relation in (
            ("ann", "bob", "blacklist"),
            ("bob", "ann", "not_blacklist"),
        ):
            body = {"username": owner, "check_list": [other]}
            status, answer = agora("POST", "blocks/check", body)
            assert (status, answer["entities"]) == (
                200,
                [{"username": other, "relation": relation}],
            )

    @pytest.mark.parametrize("path", ["contacts/check", "blocks/check"])
    def test_find_nothing_for_an_unknown_user(self, agora, users, path):
        status, answer = agora("POST", path, {"username": "nobody", "check_list": ["bob"]})

        assert status == 200
        assert answer["entities"][0]["relation"].startswith("not_")

    @pytest.mark.parametrize("path", ["contacts/check", "blocks/check"])
    @pytest.mark.parametrize(
        ("body", "description"),
        [
            ({"check_list": ["bob"]}, "username cannot be blank"),
            ({"username": "", "check_list": ["bob"]}, "username cannot be blank"),
            ({"username": "ann"}, "check_list size must be between 1 and 100"),
            ({"username": "ann", "check_list": []}, "check_list size must be between 1 and 100"),
            (
                {"username": "ann", "check_list": ["bob"] * 101},
                "check_list size must be between 1 and 100",
            ),
            ({"username": "ann", "check_list": "bob"}, "this is an invalid request."),
        ],
    )
    def test_refuse_in_the_vendors_words(self, agora, path, body, description):
        status, answer = agora("POST", path, body)

        assert (status, answer["error"]) == (400, "illegal_argument")
        assert answer["error_description"] == description
