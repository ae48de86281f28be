"""A test client for Agora Chat's API, and the tokens that it signs."""

import base64
import hashlib
import hmac
import json
import struct
import zlib
from typing import Any

from django.test import Client

from tests.api.described import must_be_described
from tests.factories import NOON, secret_of

USER, APP = 1, 2


def _text(value: str) -> bytes:
    return struct.pack("<H", len(value)) + value.encode()


def chat(privileges: dict[int, int], user_id: str = "") -> bytes:
    packed = b"".join(struct.pack("<HI", *each) for each in sorted(privileges.items()))
    return struct.pack("<HH", 5, len(privileges)) + packed + _text(user_id)


def access_token(
    *,
    app_id: str,
    certificate: str,
    services: list[bytes],
    issued: int = int(NOON.timestamp()),
    lifetime: int = 600,
    salt: int = 1,
) -> str:
    """An AccessToken2 with the layout of the vendor's builders."""
    signed = _text(app_id) + struct.pack("<IIIH", issued, lifetime, salt, len(services))
    signed += b"".join(services)
    key = hmac.digest(struct.pack("<I", issued), certificate.encode(), hashlib.sha256)
    key = hmac.digest(struct.pack("<I", salt), key, hashlib.sha256)
    signature = hmac.digest(key, signed, hashlib.sha256)
    content = struct.pack("<H", len(signature)) + signature + signed
    return "007" + base64.b64encode(zlib.compress(content)).decode()


class Agora:
    """Its calls return (HTTP status, body). `response` is the last response."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.app_id, self.certificate = environment.app_key, secret_of(environment)
        self.base = f"/{environment.application.org_name}/{environment.kind}"
        self.client = Client(raise_request_exception=False)
        self.token = self.app_token()
        self.response: Any = None

    def app_token(self, **options: Any) -> str:
        return self._token([chat({APP: 600})], **options)

    def user_token(self, user_id: str, **options: Any) -> str:
        return self._token([chat({USER: 600}, user_id)], **options)

    def _token(self, services: list[bytes], **options: Any) -> str:
        given = {"app_id": self.app_id, "certificate": self.certificate, **options}
        return access_token(services=services, **given)

    def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **kwargs: Any
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        shown = self.token if token is None else token
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        options = {"content_type": "application/json", "headers": headers, **kwargs}
        if not path.startswith("/"):
            path = f"{self.base}/{path}"
        self.response = self.client.generic(method, path, data, **options)
        assert self.response["Content-Type"] == "application/json; charset=utf-8"
        must_be_described(self.response)
        return self.response.status_code, json.loads(self.response.content)
