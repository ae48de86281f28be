"""App servers: 64 register at the quota through the three APIs, some ban, lift and kick."""

import hashlib
import http.client
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from applications.environments import NewApplication
from bench.faults import place
from bench.faults.chat import Chat
from bench.faults.ledger import Ledger
from bench.gateway import number

REGISTRARS, MODERATORS = 64, 4
PATIENCE = 10.0  # seconds for an answer
PAUSE = number("PAUSE", 1)  # seconds of a registrar between two calls
BANNED_FOR = (3.0, 20.0)  # seconds
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Wire:
    """A connection to the web server, opened again when it breaks."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._connection = http.client.HTTPConnection(place.HOST, place.PORT, timeout=seconds)

    def ask(
        self, method: str, path: str, body: str | bytes = "", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Status, body and `Location`; the status is 0 if nobody has answered."""
        try:
            self._connection.request(method, path, body, headers or {})
            answer = self._connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Location", "")
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, b"", ""

    def close(self) -> None:
        self._connection.close()


Registration = tuple[str, str, str, dict[str, str]]


class Doors:
    """The calls of an environment, through each vendor's API."""

    def __init__(self, app: NewApplication, kind: str) -> None:
        self.environment = app.environments[kind]
        secret = app.secret_texts[kind]
        self._signed = {
            "App-Key": self.environment.app_key,
            "Nonce": "1",
            "Timestamp": "2",
            "Signature": hashlib.sha1(f"{secret}12".encode()).hexdigest(),  # noqa: S324
        }
        self._place = f"/{app.application.org_name}/{kind}"
        self._secret = secret
        self._bearer: dict[str, str] = {}
        self.registrations: list[Callable[[str], Registration]] = [
            self._rongcloud,
            self._nexconn,
            self._agora,
        ]

    def sign_in(self) -> None:
        """Get the token that Agora's calls carry."""
        asked = {
            "grant_type": "client_credentials",
            "client_id": self.environment.app_key,
            "client_secret": self._secret,
        }
        headers = {"Content-Type": JSON}
        _, body, _ = Wire().ask("POST", f"{self._place}/token", json.dumps(asked), headers)
        self._bearer = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}

    def _rongcloud(self, user_id: str) -> Registration:
        return self.call("user/getToken", userId=user_id, name="Mia")

    def _nexconn(self, user_id: str) -> Registration:
        body = json.dumps({"userId": user_id, "name": "Mia"})
        headers = self._signed | {"Content-Type": JSON}
        return "POST", "/v4/auth/access-token/issue", body, headers

    def _agora(self, user_id: str) -> Registration:
        body = json.dumps({"username": user_id, "password": "secret"})
        return "POST", f"{self._place}/users", body, self._bearer | {"Content-Type": JSON}

    def call(self, path: str, /, **parameters: object) -> Registration:
        headers = self._signed | {"Content-Type": FORM}
        return "POST", f"/{path}.json", urlencode(parameters), headers

    def kick(self, user_id: str) -> Registration:
        return "POST", f"{self._place}/users/{user_id}/disconnect", "", self._bearer


class Callers:
    """The threads; `with Callers(...)` they call."""

    def __init__(self, ledger: Ledger, chat: Chat, quota: Doors, apart: Doors) -> None:
        self._ledger, self._chat, self._quota, self._apart = ledger, chat, quota, apart
        self._over = threading.Event()
        work: list[tuple[Callable[[int], None], int]] = [
            (self._register, REGISTRARS),
            (self._moderate, MODERATORS),
            (self._kick, 1),
        ]
        self._threads = [
            threading.Thread(target=target, args=(number,), daemon=True)
            for target, count in work
            for number in range(count)
        ]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _register(self, number: int) -> None:
        wire, turn = Wire(), 0
        register = self._quota.registrations[number % len(self._quota.registrations)]
        while not self._over.wait(PAUSE * random.uniform(0.5, 1.5)):  # noqa: S311
            turn += 1
            user_id = f"r{number}-{turn}"
            status, body, _ = wire.ask(*register(user_id))
            at = self._ledger.note("registration", status)
            if status == 200:
                self._ledger.registered[user_id] = at
                if token := _token(body):
                    self._ledger.tokens[user_id] = token

    def _moderate(self, number: int) -> None:
        wire = Wire()
        ours = self._chat.names[number::MODERATORS]
        due: deque[tuple[float, str]] = deque()
        while not self._over.wait(1.0):
            while due and due[0][0] < time.monotonic():
                _, user_id = due.popleft()
                self._ledger.banned.pop(user_id, None)
                if not self._is_done(wire, "lift", "user/unblock", userId=user_id):
                    due.append((time.monotonic() + 1, user_id))
            waiting = {user_id for _, user_id in due}
            user_id = random.choice(ours)  # noqa: S311
            if user_id in waiting:
                continue
            self._ledger.bans_asked[user_id] += 1
            if self._is_done(wire, "ban", "user/block", userId=user_id, minute=720):
                now = time.monotonic()
                self._ledger.bans_acknowledged[user_id].append(now)
                self._ledger.banned[user_id] = now
            due.append((time.monotonic() + random.uniform(*BANNED_FOR), user_id))  # noqa: S311

    def _is_done(self, wire: Wire, whose: str, path: str, **parameters: object) -> bool:
        status, _, _ = wire.ask(*self._apart.call(path, **parameters))
        self._ledger.note(whose, status)
        return status == 200

    def _kick(self, _: int) -> None:
        wire = Wire()
        while not self._over.wait(1.0):
            user_id, client = self._chat.somebody()
            if client is None:
                continue
            status, _, _ = wire.ask(*self._apart.kick(user_id))
            at = self._ledger.note("kick", status)
            if status == 200:
                self._chat.kicked.append((at, client))


def _token(body: bytes) -> str:
    """What RongCloud's and Nexconn's answers have; Agora's have none."""
    answer: Any = json.loads(body)
    return str(answer.get("token") or answer.get("result", {}).get("accessToken", ""))
