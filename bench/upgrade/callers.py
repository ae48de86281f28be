"""App servers that go on through an upgrade, and remember what they were told."""

import hashlib
import http.client
import json
import os
import threading
import time
import urllib.parse
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.gateway import number
from bench.gateway.swarm import Account
from bench.upgrade.versions import HOST, Version

# What an acknowledged call must have left behind, of the users whose ids are given.
FOUND = {
    "registrations": "SELECT count(*) FROM users_appuser WHERE user_id = ANY(%s)",
    "bans": "SELECT count(*) FROM moderation_ban WHERE closed_at IS NULL AND user_id = ANY(%s)",
    "blocklist entries": "SELECT count(*) FROM moderation_blocklistentry WHERE owner_id = ANY(%s)",
    "audit lines of the bans": """
        SELECT count(DISTINCT subject) FROM applications_auditevent
         WHERE type = 'ban.imposed' AND subject = ANY(%s)
    """,
}


class App:
    """An application of the bench, made by the version that runs first."""

    def __init__(self, version: Version) -> None:
        version.manage("migrate", "-v0")
        made: Any = json.loads(
            version.manage("create_application", "Bench", "--plan=pro", "--json")
        )
        keys = made["environments"]["production"]
        self.app_key, self.app_name = keys["app_key"], f"{keys['org_name']}#{keys['app_name']}"
        self.headers = {
            "App-Key": self.app_key,
            "Nonce": "1",
            "Timestamp": "2",
            "Signature": hashlib.sha1(f"{keys['app_secret']}12".encode()).hexdigest(),  # noqa: S324
            "Content-Type": "application/x-www-form-urlencoded",
        }


@dataclass
class Seen:
    """What callers saw in one phase."""

    statuses: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds
    sent_again: int = 0  # over a new connection


class Callers:
    """Each registers one user after the other through nginx, bans every fourth and fills the
    blocklist of another fourth.
    """

    def __init__(self, port: int, app: App, names: dict[int, str]) -> None:
        self._port, self._app, self._names = port, app, names
        self.phase = "the old version alone"
        self.seen: dict[str, Seen] = defaultdict(Seen)
        self._acknowledged: dict[str, list[str]] = {what: [] for what in FOUND}
        self._is_over = False
        self._threads = [
            threading.Thread(target=self._go_on, args=(n,)) for n in range(number("CALLERS", 16))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._is_over = True
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def lost(self) -> dict[str, tuple[int, int]]:
        """(acknowledged, not found in the database) for each kind of call."""
        result = {}
        with psycopg.connect(os.environ["DATABASE_URL"]) as database:
            for what, query in FOUND.items():
                told = self._acknowledged[what]
                [count] = database.execute(query, [told]).fetchone() or [0]
                result[what] = len(told), len(told) - int(count)
        return result

    def chat_account(self, place: int) -> Account:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=30)
        user_id = f"chat-{place}"
        body = urllib.parse.urlencode({"userId": user_id, "name": "Mia"})
        connection.request("POST", "/user/getToken.json", body, self._app.headers)
        token = json.loads(connection.getresponse().read())["token"]
        connection.close()
        return Account(user_id, token, self._app.app_key, self._app.app_name)

    def _go_on(self, caller: int) -> None:
        connection, turn = http.client.HTTPConnection(HOST, self._port, timeout=30), 0
        while not self._is_over:
            turn += 1
            user_id = f"caller-{caller}-{turn}"
            if not self._call(connection, "/user/getToken.json", userId=user_id, name="Mia"):
                continue
            self._acknowledged["registrations"].append(user_id)
            match turn % 4:
                case 0 if self._call(connection, "/user/block.json", userId=user_id, minute=60):
                    self._acknowledged["bans"].append(user_id)
                    self._acknowledged["audit lines of the bans"].append(user_id)
                case 1 if self._call(
                    connection, "/user/blacklist/add.json", userId=user_id, blackUserId="chat-0"
                ):
                    self._acknowledged["blocklist entries"].append(user_id)

    def _call(self, connection: http.client.HTTPConnection, path: str, **fields: Any) -> bool:
        """Whether it was acknowledged."""
        seen, began = self.seen[self.phase], time.monotonic()
        try:
            response = self._answer(connection, path, urllib.parse.urlencode(fields))
            text = response.read()
            seen.statuses[str(response.status)] += 1
            upstream = response.headers["X-Upstream"].rpartition(":")[2]
            seen.answered[self._names[int(upstream)]] += 1
            return response.status == 200 and json.loads(text)["code"] == 200
        except (OSError, http.client.HTTPException, ValueError) as error:
            seen.statuses[type(error).__name__] += 1
            connection.close()
            return False
        finally:
            seen.slowest = max(seen.slowest, time.monotonic() - began)

    def _answer(
        self, connection: http.client.HTTPConnection, path: str, body: str
    ) -> http.client.HTTPResponse:
        """As HTTP clients do: where a kept connection was closed before an answer began, the call
        goes over a new one. nginx closes kept connections when it reloads.
        """
        try:
            connection.request("POST", path, body, self._app.headers)
            return connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self.seen[self.phase].sent_again += 1
            connection.close()
            connection.request("POST", path, body, self._app.headers)
            return connection.getresponse()
