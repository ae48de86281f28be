"""POST /token: the four grants and their tokens."""

from urllib.parse import urlencode

import pytest
import time_machine

from api.agora import service_token
from api.agora.tokens import GUESSES
from applications import app_secrets
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_ban,
    make_deactivated,
    make_user,
    make_users,
    staff_actor,
)
from users import passwords, tokens
from users.models import AppUser

MS = int(NOON.timestamp() * 1000)


def grant(agora, grant_type, token="", **body):
    return agora("POST", "token", {"grant_type": grant_type, **body}, token=token)


def error_of(response):
    status, body = response
    return status, body["error"], body["error_description"]


@pytest.fixture
def client(agora):
    return {"client_id": agora.app_id, "client_secret": agora.certificate}


@pytest.fixture
def ann(agora):
    return make_user(
        environment=agora.environment, user_id="ann", password=passwords.encode("secret")
    )


class TestClientCredentials:
    def test_issue_an_app_token_for_sixty_days(self, agora, client):
        status, body = grant(agora, "client_credentials", **client)

        assert status == 200
        assert set(body) == {"access_token", "expires_in", "expire_timestamp", "application"}
        assert body["expires_in"] == 60 * 86_400
        assert agora("GET", "users", token=body["access_token"])[0] == 200
        with time_machine.travel(NOON + 60 * DAY - MINUTE, tick=False):
            assert agora("GET", "users", token=body["access_token"])[0] == 200
        with time_machine.travel(NOON + 60 * DAY, tick=False):
            assert agora("GET", "users", token=body["access_token"])[0] == 401

    @pytest.mark.parametrize(("ttl", "seconds"), [(60, 60), ("60", 60), (0, 2_147_483_647)])
    def test_issue_a_token_for_the_requested_lifetime(self, agora, client, ttl, seconds):
        assert grant(agora, "client_credentials", ttl=ttl, **client)[1]["expires_in"] == seconds

    @pytest.mark.parametrize("ttl", [-1, "x", 10**12, 1.5])
    def test_refuse_an_invalid_lifetime(self, agora, client, ttl):
        assert error_of(grant(agora, "client_credentials", ttl=ttl, **client))[:2] == (
            400,
            "illegal_argument",
        )

    def test_may_come_as_a_form(self, agora, client):
        form = urlencode({"grant_type": "client_credentials", "ttl": "60", **client}).encode()
        declared = {"content_type": "application/x-www-form-urlencoded", "token": ""}

        assert agora("POST", "token", form, **declared)[1]["expires_in"] == 60
        wanted = {"grant_type": "client_credentials", **client}
        assert agora("POST", "token", wanted, **declared)[0] == 200

    def test_must_match(self, agora, client):
        wrong = {**client, "client_id": "f" * 32}
        assert error_of(grant(agora, "client_credentials", **wrong)) == (
            *(400, "invalid_grant", "client_id does not match"),
        )
        for secret in ("f" * 32, "", "é", client["client_secret"].upper()):
            assert error_of(
                grant(agora, "client_credentials", **{**client, "client_secret": secret})
            ) == (400, "invalid_grant", "client_secret does not match")

    def test_tokens_become_invalid_with_their_secret(self, agora, client):
        token = grant(agora, "client_credentials", **client)[1]["access_token"]
        old = agora.environment.secrets.get()
        app_secrets.add(environment=agora.environment, by=staff_actor(), now=NOON)
        app_secrets.revoke(
            environment=agora.environment, secret_id=old.pk, by=staff_actor(), now=NOON
        )

        assert agora("GET", "users", token=token)[0] == 401

    def test_tokens_become_invalid_with_all_tokens_of_the_environment(self, agora, client):
        token = grant(agora, "client_credentials", **client)[1]["access_token"]
        later = NOON + MINUTE
        tokens.revoke_all(environment=agora.environment, by=staff_actor(), now=later)

        with time_machine.travel(later, tick=False):
            assert agora("GET", "users", token=token)[0] == 401

    def test_tokens_are_refused_in_another_environment(self, agora, live, client):
        token = grant(agora, "client_credentials", **client)[1]["access_token"]

        assert live("GET", "users", token=token)[0] == 401

    def test_tokens_have_one_spelling(self, agora, client):
        token = grant(agora, "client_credentials", **client)[1]["access_token"]

        for at in range(len(service_token.PREFIX), len(token)):
            changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            with pytest.raises(service_token.ForeignToken):
                service_token.parse(changed)

    def test_tokens_are_not_valid_as_user_tokens(self, agora, client, ann):
        token = grant(agora, "client_credentials", **client)[1]["access_token"]
        text = token.removeprefix(service_token.PREFIX)

        for forged in (token, text):
            with pytest.raises(tokens.TokenUnknown):
                tokens.authenticate(environment=agora.environment, token=forged, now=NOON)
        with pytest.raises(service_token.ForeignToken):
            service_token.parse(service_token.PREFIX + tokens.issue(ann, now=NOON))


class TestPassword:
    def test_gives_the_user_a_token(self, agora, ann):
        status, body = grant(agora, "password", username="ANN", password="secret")

        assert status == 200
        assert set(body) == {"access_token", "expires_in", "expire_timestamp", "user"}
        assert body["user"]["uuid"] == str(ann.uuid)
        assert agora("GET", "users/ann", token=body["access_token"])[0] == 200

    def test_must_be_right(self, agora, ann):
        make_user(environment=agora.environment, user_id="bob")

        assert error_of(grant(agora, "password", username="cy", password="x")) == (
            *(404, "invalid_grant", "user not found"),
        )
        for name, password in (("ann", "x"), ("ann", ""), ("bob", ""), ("ann", "\ud800")):
            assert error_of(grant(agora, "password", username=name, password=password)) == (
                *(400, "invalid_grant", "invalid password"),
            )

    def test_is_slowed_after_wrong_guesses_and_says_how_long(self, agora, ann):
        guess = {"username": "ann", "password": "guess"}
        for _ in range(GUESSES.by_name.free):
            assert grant(agora, "password", **guess)[0] == 400

        status, body = grant(agora, "password", **{**guess, "password": "secret"})
        assert (status, body["error"]) == (429, "reach_limit")
        assert body["error_description"] == "Too many wrong passwords. Try again in 15 seconds."
        assert body["retry_after"] == int(agora.response["Retry-After"]) == 15

        with time_machine.travel(NOON + 15 * SECOND, tick=False):
            assert grant(agora, "password", username="ann", password="secret")[0] == 200

    def test_is_not_slowed_by_strangers_where_the_user_has_signed_in(self, agora, ann):
        right = {"username": "ann", "password": "secret"}
        assert grant(agora, "password", **right)[0] == 200
        agora.client.defaults["REMOTE_ADDR"] = "198.51.100.7"
        for _ in range(GUESSES.by_name.free + 5):
            grant(agora, "password", username="ann", password="guess")
        assert grant(agora, "password", **right)[0] == 429
        agora.client.defaults["REMOTE_ADDR"] = "127.0.0.1"
        assert grant(agora, "password", **right)[0] == 200

    def test_is_refused_for_a_banned_user(self, agora, ann):
        make_ban(environment=agora.environment, user_id="ann")

        assert error_of(grant(agora, "password", username="ann", password="secret")) == (
            *(400, "invalid_grant", "user not activated"),
        )

    def test_limits_the_lifetime_to_the_environments(self, agora, ann):
        agora.environment.token_lifetime = HOUR
        agora.environment.save()
        good = {"username": "ann", "password": "secret"}

        for ttl, seconds in ((None, 3600), (0, 3600), (60, 60)):
            assert grant(agora, "password", ttl=ttl, **good)[1]["expires_in"] == seconds


class TestInherit:
    def test_gives_an_app_a_token_for_its_user(self, agora, ann):
        status, body = grant(agora, "inherit", token=agora.token, username="ann")

        assert (status, body["user"]["username"]) == (200, "ann")
        assert agora("GET", "users/ann", token=body["access_token"])[0] == 200

    def test_needs_an_app_token(self, agora, ann):
        assert grant(agora, "inherit", username="ann")[0] == 401
        assert grant(agora, "inherit", token=agora.user_token("ann"), username="ann")[0] == 401

    def test_creates_the_user_on_request(self, agora):
        assert error_of(grant(agora, "inherit", token=agora.token, username="Bob")) == (
            *(404, "entity_not_found", "User null not found"),
        )
        wanted = {"username": "Bob", "autoCreateUser": True}
        assert grant(agora, "inherit", token=agora.token, **wanted)[0] == 200
        assert AppUser.objects.get().user_id == "bob"

    def test_creates_no_user_whom_registration_would_refuse(self, agora):
        make_deactivated(environment=agora.environment, user_id="ann")
        make_users(environment=agora.environment, count=100)

        for name, status in (("a b", 400), ("ann", 403), ("bob", 429)):
            wanted = {"username": name, "autoCreateUser": True}
            assert grant(agora, "inherit", token=agora.token, **wanted)[0] == status


class TestAgora:
    def test_exchanges_an_access_token_2_for_one_of_ours(self, agora):
        status, body = grant(agora, "agora", token=agora.token)

        assert status == 200
        assert body["expire_timestamp"] == MS + 600_000
        assert body["expires_in"] == 600
        assert agora("GET", "users", token=body["access_token"])[0] == 200
        with time_machine.travel(NOON + 10 * MINUTE, tick=False):
            assert agora("GET", "users", token=body["access_token"])[0] == 401

    def test_exchanges_a_users_token_too(self, agora, ann):
        body = grant(agora, "agora", token=agora.user_token(str(ann.uuid)))[1]

        assert body["user"]["username"] == "ann"
        assert agora("GET", "users/ann", token=body["access_token"])[0] == 200

    def test_exchanges_no_user_token_of_ours(self, agora, ann):
        assert grant(agora, "agora", token=tokens.issue(ann, now=NOON))[0] == 401
        assert grant(agora, "agora")[0] == 401


class TestEnd:
    """The expiry of a token, which web clients request before they renew it."""

    def test_is_that_of_the_requests_token(self, agora, ann):
        for token, seconds in (
            (tokens.issue(ann, now=NOON, lifetime=HOUR), 3600),
            (tokens.issue(ann, now=NOON), 2_147_483_647),
            (agora.user_token("ann"), 600),
        ):
            status, body = agora("GET", "sdk/users/ann/token/expires", token=token)
            assert status == 200
            assert body == {
                "access_token": token,
                "expires_in": seconds,
                "expire_timestamp": MS + 1000 * seconds,
            }

    def test_is_refused_to_other_users(self, agora, ann):
        bob = make_user(environment=agora.environment, user_id="bob")

        assert agora("GET", "sdk/users/ann/token/expires", token="")[0] == 401
        token = tokens.issue(bob, now=NOON)
        assert agora("GET", "sdk/users/ann/token/expires", token=token)[0] == 401


def test_other_grants_are_refused(agora):
    assert error_of(grant(agora, "magic"))[:2] == (400, "unsupported_grant_type")
    assert error_of(agora("POST", "token", [], token=""))[:2] == (400, "unsupported_grant_type")
    assert agora("POST", "token", b"", token="")[0] == 400
