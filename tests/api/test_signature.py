"""Authentication by App-Key, Nonce, Timestamp and Signature."""

import pytest
from django.test import RequestFactory

from api import signature
from api.vendor import Call
from applications import app_secrets, vault
from applications.models import AppSecret, AuditEvent
from tests.api.callers import sign, signed_headers
from tests.factories import HOUR, MINUTE, NOON, make_environment, secret_of, staff_actor


def request_with(headers, now=NOON):
    request = RequestFactory().post("/v4/user/ban", headers=headers, REMOTE_ADDR="192.0.2.9")
    request.call = Call(vendor="nexconn", name="user/ban", request_id="r-1", now=now)
    return request


def authenticate(headers, now=NOON):
    return signature.authenticate(request_with(headers, now))


def headers_of(environment, secret, nonce, timestamp):
    return {
        "App-Key": environment.app_key,
        "Nonce": nonce,
        "Timestamp": timestamp,
        "Signature": sign(secret, nonce, timestamp),
    }


class TestSignature:
    @pytest.mark.parametrize(
        ("secret", "nonce", "timestamp", "expected"),
        [
            ("SECRET", "1674380", "1795199733", "85c44e573d9b69cc23f975bd205b23d956129677"),
            ("S3cret", "12345", "1700000000000", "a92a26d7b48872c05c2d8a663c4bdfa05477a53e"),
            ("S3cret", "987654321", "1700000000", "22871d4a73f7b8eb004b0e2a62941e9a11665bc2"),
        ],
    )
    def test_matches_the_vendors_examples(self, environment, secret, nonce, timestamp, expected):
        environment.secrets.update(ciphertext=vault.encrypt(secret))
        headers = {
            "App-Key": environment.app_key,
            "Nonce": nonce,
            "Timestamp": timestamp,
            "Signature": expected,
        }

        assert authenticate(headers).environment == environment

    @pytest.mark.parametrize(
        ("nonce", "timestamp"),
        [
            ("0.6695012345678901", "1700000000000"),
            ("327251.18014174956", "1700000000"),
            ("3.2725118014174956E5", "1700000000"),
            ("9223372036854775807", "1700000000"),
            ("0", "1"),
        ],
    )
    def test_is_over_the_header_texts_as_received(self, environment, nonce, timestamp):
        headers = headers_of(environment, secret_of(environment), nonce, timestamp)

        assert authenticate(headers).environment == environment

    @pytest.mark.parametrize("prefix", ["RC-", "rc-"])
    def test_may_use_the_older_header_names(self, environment, prefix):
        assert authenticate(signed_headers(environment, prefix=prefix)).environment == environment

    def test_may_be_repeated_without_a_time_limit(self, environment):
        headers = signed_headers(environment)

        assert authenticate(headers, now=NOON)
        assert authenticate(headers, now=NOON + 1000 * HOUR)

    def test_may_be_made_with_either_of_two_live_secrets(self, environment):
        old = secret_of(environment)
        new = app_secrets.add(environment=environment, by=staff_actor(), now=NOON)

        assert authenticate(signed_headers(environment, secret=old))
        assert authenticate(signed_headers(environment, secret=new.text))

    def test_is_refused_once_its_secret_is_revoked(self, environment):
        old = environment.secrets.get()
        headers = signed_headers(environment)
        app_secrets.add(environment=environment, by=staff_actor(), now=NOON)
        app_secrets.revoke(environment=environment, secret_id=old.pk, by=staff_actor(), now=NOON)

        with pytest.raises(signature.BadSignature):
            authenticate(headers)

    def test_of_another_environment_is_refused(self, environment):
        other = make_environment()
        headers = {**signed_headers(other), "App-Key": environment.app_key}

        with pytest.raises(signature.BadSignature):
            authenticate(headers)

    @pytest.mark.parametrize("missing", ["Nonce", "Timestamp", "Signature"])
    def test_needs_each_header(self, environment, missing):
        headers = {**signed_headers(environment), missing: ""}

        with pytest.raises(signature.BadSignature, match=f"{missing}: missing"):
            authenticate(headers)

    @pytest.mark.parametrize("key", ["", "unknown", "\x00", "é", "a" * 200])
    def test_needs_a_known_app_key(self, environment, key):
        with pytest.raises(signature.UnknownAppKey):
            authenticate({**signed_headers(environment), "App-Key": key})


class TestCaller:
    def test_has_an_actor_for_the_audit_log(self, environment):
        actor = authenticate(signed_headers(environment)).actor

        assert actor.kind == AuditEvent.ActorKind.APP_KEY
        assert (actor.name, actor.via) == (environment.app_key, "nexconn user/ban")
        assert (actor.address, actor.request_id) == ("192.0.2.9", "r-1")

    def test_costs_one_query(self, environment, django_assert_num_queries):
        AppSecret.objects.update(last_used_at=NOON)
        request = request_with(signed_headers(environment))

        with django_assert_num_queries(1):
            signature.authenticate(request)

    def test_updates_the_secrets_last_use_once_a_minute(self, environment):
        for now in (NOON, NOON + MINUTE / 2, NOON + MINUTE, NOON + MINUTE * 1.5):
            authenticate(signed_headers(environment), now=now)

        assert environment.secrets.get().last_used_at == NOON + MINUTE
