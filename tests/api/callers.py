"""Test clients that sign and send calls as app servers do."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from tests.api.described import must_be_described
from tests.factories import secret_of

NONCE, TIMESTAMP = "1674380", "1795199733"


def sign(secret: str, nonce: str = NONCE, timestamp: str = TIMESTAMP) -> str:
    return hashlib.sha1((secret + nonce + timestamp).encode()).hexdigest()


def signed_headers(environment: Any, secret: str = "", prefix: str = "") -> dict[str, str]:
    return {
        f"{prefix}App-Key": environment.app_key,
        f"{prefix}Nonce": NONCE,
        f"{prefix}Timestamp": TIMESTAMP,
        f"{prefix}Signature": sign(secret or secret_of(environment)),
    }


class Caller:
    """Its calls return (HTTP status, body). `response` is the last response."""

    content_type = ""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.headers = signed_headers(environment)
        self.client = Client(raise_request_exception=False)
        self.response: Any = None

    def send(
        self, path: str, body: bytes | str = b"", *, method: str = "POST", **kwargs: Any
    ) -> tuple[int, Any]:
        options = {"content_type": self.content_type, "headers": self.headers, **kwargs}
        self.response = self.client.generic(method, path, body, **options)
        assert self.response["Content-Type"] == "application/json; charset=utf-8"
        must_be_described(self.response)
        return self.response.status_code, json.loads(self.response.content)


class RongCloud(Caller):
    content_type = "application/x-www-form-urlencoded"

    def __call__(self, call: str, **parameters: Any) -> tuple[int, Any]:
        root = "" if call.startswith("friend/") else "user/"
        return self.send(f"/{root}{call}.json", urlencode(parameters, doseq=True))


class Nexconn(Caller):
    content_type = "application/json"

    def __call__(self, call: str, **members: Any) -> tuple[int, Any]:
        return self.send(f"/v4/{call}", json.dumps(members))
