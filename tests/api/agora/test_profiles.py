"""Agora Chat's calls about user attributes."""

from urllib.parse import urlencode

import pytest

from tests.factories import make_token, make_user

FORM = "application/x-www-form-urlencoded"
KEYS = {"timestamp", "data", "duration"}


@pytest.fixture(autouse=True)
def ann(agora):
    return make_user(environment=agora.environment, user_id="ann")


def put(agora, values, name="ann", **options):
    body = urlencode(values).encode()
    return agora("PUT", f"metadata/user/{name}", body, **{"content_type": FORM, **options})


class TestAttributes:
    def test_are_merged_and_removed_by_an_empty_value(self, agora):
        assert put(agora, {"nickname": "Änn", "sign": "hi & bye"})[0] == 200
        status, body = put(agora, {"sign": "", "gender": "1"}, name="ANN")

        assert status == 200
        assert set(body) == KEYS
        assert body["data"] == {"nickname": "Änn", "gender": "1"}
        assert agora("GET", "metadata/user/ann")[1]["data"] == body["data"]

    def test_are_cleared(self, agora):
        put(agora, {"nickname": "Ann"})
        for name in ("ann", "ann", "nobody"):
            status, body = agora("DELETE", f"metadata/user/{name}")
            assert (status, body["data"], set(body)) == (200, True, KEYS)
        assert agora("GET", "metadata/user/ann")[1]["data"] == {}

    def test_of_an_unknown_user_are_none_and_cannot_be_set(self, agora):
        assert agora("GET", "metadata/user/nobody")[1]["data"] == {}
        assert put(agora, {"a": "b"}, name="nobody")[0] == 404

    def test_of_several_users_are_the_requested_ones(self, agora):
        make_user(environment=agora.environment, user_id="bob")
        put(agora, {"nickname": "Ann", "mail": "a@b", "phone": "1"})
        body = {"targets": ["Ann", "bob", "nobody"], "properties": ["nickname", "mail", "ext"]}

        assert agora("POST", "metadata/user/get", body)[1]["data"] == {
            "Ann": {"nickname": "Ann", "mail": "a@b"},
            "bob": {},
            "nobody": {},
        }

    def test_are_set_by_their_user_and_read_by_anybody(self, agora, ann):
        make_user(environment=agora.environment, user_id="bob")
        token = make_token(ann)

        assert put(agora, {"nickname": "Ann"}, token=token)[0] == 200
        assert put(agora, {"nickname": "x"}, name="bob", token=token)[0] == 401
        assert agora("GET", "metadata/user/bob", token=token)[0] == 200
        body = {"targets": ["bob"], "properties": ["nickname"]}
        assert agora("POST", "metadata/user/get", body, token=token)[0] == 200

    def test_are_counted_in_bytes(self, agora):
        put(agora, {"nick": "Ä"})
        assert agora("GET", "metadata/user/capacity")[1]["data"] == len('{"nick":"Ä"}'.encode())

        agora("DELETE", "metadata/user/ann")
        assert agora("GET", "metadata/user/capacity")[1]["data"] == 0

    @pytest.mark.parametrize("size", [2_049, 5_000])
    def test_take_at_most_2_kilobytes(self, agora, size):
        status, body = put(agora, {"a": "x" * (size - len('{"a":""}'))})

        assert (status, body["error"]) == (403, "FORBIDDEN")
        assert body["desc"] == body["error_description"]
        assert put(agora, {"a": "x" * (2_048 - len('{"a":""}'))})[0] == 200

    def test_refuse_text_that_cannot_be_stored(self, agora):
        assert put(agora, {"a\x00": "b"})[0] == 400
        assert agora("PUT", "metadata/user/ann", b"a=%FF", content_type=FORM)[0] == 400
        assert agora("PUT", "metadata/user/ann", b"a=\xff", content_type=FORM)[0] == 400

    def test_require_the_right_content_type(self, agora):
        for content_type in ("", "application/json"):
            status, body = put(agora, {"a": "b"}, content_type=content_type)
            assert (status, body["desc"]) == (415, "Unsupported Media Type")
        body = {"targets": ["ann"], "properties": []}
        for content_type in ("", FORM):
            assert agora("POST", "metadata/user/get", body, content_type=content_type)[0] == 415

    def test_without_a_content_type_are_refused_before_the_token_is_checked(self, agora):
        for token in ("", agora.token):
            assert put(agora, {"a": "b"}, content_type="", token=token)[0] == 415
            body = {"targets": ["ann"], "properties": []}
            path = "metadata/user/get"
            assert agora("POST", path, body, content_type="", token=token)[0] == 415
        assert put(agora, {"a": "b"}, token="")[0] == 401

    def test_are_refused_with_the_texts_that_easemobs_clients_compare(self, agora):
        agora.environment.vendor_settings = {"agora": {"error_dialect": "easemob"}}
        agora.environment.save()

        assert agora("GET", "metadata/user/capacity", token="")[1]["desc"] == "unauthorized"
        body = put(agora, {"a": "b"}, token="")[1]
        assert body["desc"] == "Unauthorized"
        assert body["error_description"] == "Unable to authenticate (OAuth)"

    def test_of_several_has_bounds(self, agora):
        body = {"targets": ["ann"] * 101, "properties": []}
        status, answer = agora("POST", "metadata/user/get", body)

        assert (status, answer["error"]) == (400, "BAD_REQUEST")
        assert answer["error_description"] == "exceed allowed batch size 100"
