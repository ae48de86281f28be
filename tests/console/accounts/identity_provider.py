"""A small OpenID Connect provider on this machine. It says about people what a test tells it to."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.urls import reverse

CLIENT_ID = "rollcall"


class IdentityProvider:
    """`claims` is what both the id token and the userinfo say; `userinfo` overrides the latter."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.broken = False
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str) -> Any:
        if self.broken:
            return {"surprise": True}
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/token":
            return {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token()}
        return {**self.claims, **self.userinfo}

    def _id_token(self) -> str:
        now = int(time.time())
        times = {"iat": now, "exp": now + 300}
        claims = {"iss": self.issuer, "aud": CLIENT_ID, **times, **self.claims}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.dumps(provider._answer(urlsplit(self.path).path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                """Keep the output of tests clean."""

        return Handler

    # --- The browser's way ---

    def sign_in(self, client: Any, provider_id: str, **query: str) -> Any:
        """Go to the provider and come back. Returns the console's response, or the first one that
        does not lead to the provider.
        """
        url = reverse("openid_connect_login", args=[provider_id], query=query)
        there = client.post(url)
        if there.status_code != 302 or not there.url.startswith(self.issuer):
            return there
        [state] = parse_qs(urlsplit(there.url).query)["state"]
        back = reverse("openid_connect_callback", args=[provider_id])
        return client.get(back, {"state": state, "code": "c"})
