"""Version 2 of the signature: it covers the whole request, expires, and is valid once. Also its
page in docs/.
"""

import hashlib
import hmac
import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache

from tests.api.callers import Nexconn, RongCloud
from tests.factories import MINUTE, NOON, make_environment, secret_of
from users.models import AppUser

PAGE = (settings.BASE_DIR / "docs" / "signature-v2.md").read_text()
[SNIPPET] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MILLISECOND = timedelta(milliseconds=1)
ASKED = ("/user/block/query.json", b"")


def milliseconds(moment):
    return str(int(moment.timestamp() * 1000))


def headers_of(environment, path, body, *, nonce="0123456789abcdef", at=NOON, **changed):
    timestamp = milliseconds(at)
    signed = "\n".join(["POST", path, hashlib.sha256(body).hexdigest(), timestamp, nonce])
    secret = secret_of(environment).encode()
    return {
        "App-Key": environment.app_key,
        "Timestamp": timestamp,
        "Nonce": nonce,
        "Signature-Version": "2",
        "Signature": hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest(),
        **changed,
    }


@pytest.fixture
def ask(rongcloud, environment):
    """Signs and sends a request; returns (code, text)."""

    def ask(path=ASKED[0], body=ASKED[1], *, send_to="", send="", to=environment, **options):
        headers = headers_of(to, path, body, **options)
        answer = rongcloud.send(send_to or path, send or body, headers=headers)[1]
        return answer["code"], answer.get("errorMessage", "")

    return ask


class TestSignature:
    def test_of_an_unchanged_request_passes(self, ask):
        assert ask() == (200, "")
        assert ask("/user/checkOnline.json", b"userId=ann", nonce="another-one") == (200, "")
        assert ask("/user/checkOnline.json?x=%20y&z", b"userId=ann", nonce="a-third-one")[0] == 200

    def test_passes_at_nexconns_door_too(self, environment, at_noon):
        body = b'{"userId": "ann"}'
        headers = headers_of(environment, "/v4/user/get", body)

        assert Nexconn(environment).send("/v4/user/get", body, headers=headers)[1] == {
            "code": 400,
            "errorMessage": "Not registered: ann",
        }

    @pytest.mark.parametrize(
        "changed",
        [
            {"send": b"userId=bob&minute=5"},
            {"send_to": "/user/unblock.json"},
            {"send_to": "/user/block.json?really"},
            {"Timestamp": milliseconds(NOON + MILLISECOND)},
            {"Nonce": "fedcba9876543210"},
            {"Signature": "0" * 64},
        ],
        ids=lambda changed: next(iter(changed)),
    )
    def test_covers_all_of_the_request(self, ask, changed):
        assert ask("/user/block.json", b"userId=ann&minute=5", **changed) == (
            1004,
            "Signature: not made with this app key's secret",
        )

    @pytest.mark.parametrize("away", [-5 * MINUTE, 5 * MINUTE])
    def test_is_valid_for_less_than_five_minutes_on_either_side(self, ask, away):
        inwards = MILLISECOND if away < timedelta(0) else -MILLISECOND

        assert ask(at=NOON + away)[0] == 1004
        assert ask(at=NOON + away + inwards)[0] == 200

    @pytest.mark.parametrize(
        "changed", [{"nonce": "short"}, {"nonce": "with a blank"}, {"nonce": "x" * 65}]
    )
    def test_requires_a_nonce_of_8_to_64_characters_without_blanks(self, ask, changed):
        assert ask(**changed)[0] == 1004

    @pytest.mark.parametrize("version", ["3", "two", "2.0"])
    def test_of_an_unknown_version_is_refused(self, ask, version):
        assert ask(**{"Signature-Version": version}) == (1004, "Signature-Version: 1 or 2")

    def test_may_be_in_capitals_and_under_the_older_header_names(self, rongcloud, environment):
        headers = headers_of(environment, *ASKED)
        headers["Signature"] = headers["Signature"].upper()
        headers = {f"RC-{name}": value for name, value in headers.items()}

        assert rongcloud.send(*ASKED, headers=headers)[0] == 200


class TestNonce:
    def test_is_valid_once_while_its_signature_is_fresh(self, environment):
        with time_machine.travel(NOON, tick=False) as clock:
            headers = headers_of(environment, *ASKED, at=NOON + 5 * MINUTE - MILLISECOND)
            caller = RongCloud(environment)
            assert caller.send(*ASKED, headers=headers)[0] == 200
            for passed in (timedelta(0), MINUTE, 10 * MINUTE - 2 * MILLISECOND):
                clock.move_to(NOON + passed)
                answer = caller.send(*ASKED, headers=headers)[1]
                assert answer == {"code": 1004, "errorMessage": "Nonce: used before"}

    def test_is_counted_per_environment(self, ask, environment):
        other = make_environment(kind="production")

        assert ask()[0] == ask(to=other)[0] == 200

    def test_is_not_used_up_by_a_wrong_signature(self, ask):
        assert ask(Signature="0" * 64)[0] == 1004
        assert ask()[0] == 200

    def test_is_refused_while_the_cache_is_unreachable(self, ask, rongcloud, monkeypatch):
        def away(*_, **__):
            raise ConnectionError("no route to the cache")

        monkeypatch.setattr(type(cache._connections[cache._alias]), "add", away)

        assert ask() == (1000, "Signatures of version 2 cannot be checked just now")
        assert rongcloud.response.status_code == 503
        assert rongcloud("block/query")[0] == 200


class TestRequired:
    def test_version_1_is_refused_if_version_2_is_required(self, ask, rongcloud, environment):
        environment.vendor_settings = {"rongcloud": {"require_signature_v2": True}}
        environment.save()

        assert rongcloud("block/query") == (
            401,
            {
                "code": 1004,
                "errorMessage": "Signature-Version: 2 is required in this environment",
            },
        )
        assert ask() == (200, "")


class TestPage:
    def test_has_a_working_client_of_ten_lines(self, live_server, transactional_db, at_noon):
        environment = make_environment()
        client = {}
        exec(SNIPPET, client)  # noqa: S102 - the code on the page itself

        def call(path, body):
            key, secret = environment.app_key, secret_of(environment)
            return json.loads(client["call"](live_server.url, key, secret, path, body))

        assert call("/user/getToken.json", b"userId=ann&name=Ann")["userId"] == "ann"
        assert call("/v4/user/get", b'{"userId": "ann"}')["result"]["name"] == "Ann"
        assert AppUser.objects.get().registered_at == NOON
        assert len([line for line in SNIPPET.splitlines() if line]) <= 10

    def test_has_a_correct_example(self):
        path, body, timestamp, nonce = re.findall(
            r"path `(.*?)`, the body `(.*?)`, the\ntimestamp `(\d+)` and the nonce `(\w+)`", PAGE
        )[0]
        signed = ["POST", path, hashlib.sha256(body.encode()).hexdigest(), timestamp, nonce]
        made = hmac.new(b"S3cret", "\n".join(signed).encode(), hashlib.sha256).hexdigest()

        assert f"`{made}`" in PAGE
