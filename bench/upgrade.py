"""`python -m bench upgrade REVISION`: an upgrade from that revision to this tree, under load.

Both versions run side by side over one database, behind nginx with the file of `deploy/`: the old
one is started, calls and chat clients begin, the database is migrated, the new one is started, the
old one is stopped. It prints what callers and clients saw meanwhile. Needs nginx and git.
"""

import asyncio
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bench.stores import free_port
from rollcall.listening import first_page

CALLERS, CLIENTS = 16, 300
HOST = "127.0.0.1"


class Version:
    """A checkout with ports of its own."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.port, self.gateway_port = folder, free_port(), free_port()
        self._environment = os.environ | {
            "PORT": str(self.port),
            "GATEWAY_PORT": str(self.gateway_port),
            "DATA_DIR": str(data),
            "TRUSTED_PROXIES": "1",
            "API_RATE_LIMITS": "false",
            "GATEWAY_CONNECT_BURST": "10000",
            "LOG_LEVEL": "WARNING",
            "SECRET_KEY": "bench-" * 10,
            "ENCRYPTION_KEYS": "bench-0123456789-" * 3,
        }
        self._log = (data / "log").open("wb")

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        return subprocess.check_output(
            command, cwd=self.folder, env=self._environment, text=True, stderr=self._log
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=self.folder,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        self.pid = self._process.pid
        while first_page(HOST, self.port) is None:
            time.sleep(0.1)

    def stop(self) -> float:
        """Seconds that it took."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._log.close()
        return time.monotonic() - began


class Callers:
    """App servers: each registers one user after the other through nginx."""

    def __init__(self, port: int, keys: dict[str, str]) -> None:
        self._port, self._keys = port, keys
        self.answers: Counter[str] = Counter()
        self.registered: list[str] = []
        self.slowest = 0.0
        self._is_over = False
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._is_over = True
        for thread in self._threads:
            thread.join()

    def _call(self, number: int) -> None:
        connection, turn = http.client.HTTPConnection(HOST, self._port, timeout=30), 0
        while not self._is_over:
            turn += 1
            user_id, began = f"caller-{number}-{turn}", time.monotonic()
            try:
                body = urllib.parse.urlencode({"userId": user_id, "name": "Mia"})
                connection.request("POST", "/user/getToken.json", body, headers(self._keys))
                response = connection.getresponse()
                text = response.read()
                self.answers[str(response.status)] += 1
                if response.status == 200 and json.loads(text)["token"]:
                    self.registered.append(user_id)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.answers[type(error).__name__] += 1
                connection.close()
            self.slowest = max(self.slowest, time.monotonic() - began)


class Chat:
    """Clients of the gateway, which come back after a random pause of up to a second."""

    def __init__(self, port: int, keys: dict[str, str], tokens: list[str]) -> None:
        self._url, self._keys = f"ws://{HOST}:{port}/gateway", keys
        self.connected, self.closed_at = 0, list[float]()
        self.failures: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._tasks = [
            asyncio.run_coroutine_threadsafe(self._stay(token), self._loop) for token in tokens
        ]

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._loop.call_soon_threadsafe(self._loop.call_later, 1.0, self._loop.stop)
        self._thread.join()

    async def _stay(self, token: str) -> None:
        first = json.dumps({"app_key": self._keys["app_key"], "token": token})
        while True:
            try:
                async with connect(self._url, compression=None) as socket:
                    await socket.send(first)
                    await socket.recv()
                    self.connected += 1
                    try:
                        while True:
                            await socket.recv()
                    finally:
                        self.connected -= 1
                        self.closed_at.append(time.monotonic())
            except (OSError, ConnectionClosed, InvalidHandshake) as error:
                if not isinstance(error, ConnectionClosed):
                    self.failures[str(error)] += 1
            await asyncio.sleep(random.random())  # noqa: S311


def nginx(folder: Path, versions: list[Version]) -> tuple[int, subprocess.Popen[bytes]]:
    """nginx in front of both, with the locations of `deploy/`; its port."""
    port = free_port()
    web = " ".join(f"server {HOST}:{each.port} max_fails=0;" for each in versions)
    gateway = " ".join(f"server {HOST}:{each.gateway_port} max_fails=0;" for each in versions)
    locations = settings.BASE_DIR / "deploy/nginx/rollcall-locations.conf"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(f"""
        pid {folder}/pid; daemon off; {"user root;" if os.getuid() == 0 else ""}
        error_log {folder}/error.log; events {{ worker_connections 4096; }}
        http {{ access_log off; {temporary}
        upstream rollcall_web {{ {web} keepalive 32; keepalive_timeout 60s; }}
        upstream rollcall_gateway {{ {gateway} }}
        map $http_upgrade $rollcall_connection {{ default upgrade; '' ''; }}
        map $http_x_request_id $rollcall_request_id {{ default $http_x_request_id; }}
        server {{ listen {HOST}:{port}; include {locations}; }} }}
    """)
    path = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        raise SystemExit("nginx is not installed.")
    return port, subprocess.Popen([path, "-p", folder, "-c", configuration])


def main() -> None:
    revision = sys.argv[2] if len(sys.argv) > 2 else "HEAD~1"
    with ExitStack() as stack:
        folder = settings.DATA_DIR / "upgrade"
        folder.mkdir()
        old_tree = folder / "tree"
        git = ["git", "-C", str(settings.BASE_DIR), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", old_tree, revision], check=True)
        stack.callback(subprocess.run, [*git, "remove", "--force", old_tree], check=True)
        old, new = (Version(tree, _made(folder / name)) for name, tree in _trees(old_tree))
        old.manage("migrate", "-v0")
        made: Any = json.loads(old.manage("create_application", "Bench", "--plan=pro", "--json"))
        keys = made["environments"]["production"]
        old.start()
        port, process = nginx(folder, [old, new])
        stack.callback(process.terminate)
        while first_page(HOST, port) is None:
            time.sleep(0.1)
        _report(old, new, port, keys)


def _trees(old_tree: Path) -> list[tuple[str, Path]]:
    return [("old", old_tree), ("new", settings.BASE_DIR)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _report(old: Version, new: Version, port: int, keys: dict[str, str]) -> None:
    callers = Callers(port, keys)
    try:
        time.sleep(2)
        chat = Chat(port, keys, tokens(port, keys, CLIENTS))
        try:
            time.sleep(4)
            print(f"with the old version: {callers.answers}, {chat.connected} chat clients")
            new.manage("migrate", "-v0")
            new.start()
            time.sleep(2)
            stopping = time.monotonic()
            took = old.stop()
            time.sleep(5)
            closed = sorted(moment - stopping for moment in chat.closed_at)
            print(
                f"the old version stopped within {took:.1f} s. {len(closed)} chat clients were "
                f"sent away, {closed[0]:.1f} to {closed[-1]:.1f} s after the signal, at most "
                f"{_busiest(closed)} in 0.5 s; {chat.connected} are back, failed attempts: "
                f"{dict(chat.failures)}"
            )
        finally:
            chat.end()
    finally:
        callers.end()
    new.stop()
    found = _known(callers.registered)
    lost = len(callers.registered) - found
    print(f"answers: {dict(callers.answers)}, slowest {callers.slowest:.2f} s; lost users: {lost}")


def _busiest(moments: list[float]) -> int:
    return max(Counter(int(moment / 0.5) for moment in moments).values())


def headers(keys: dict[str, str]) -> dict[str, str]:
    """Of a call by RongCloud's protocol."""
    signature = hashlib.sha1(f"{keys['app_secret']}12".encode()).hexdigest()  # noqa: S324
    return {
        "App-Key": keys["app_key"],
        "Nonce": "1",
        "Timestamp": "2",
        "Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }


def tokens(port: int, keys: dict[str, str], count: int) -> list[str]:
    """Of users chat-0, chat-1 and so on, who are registered."""
    connection, found = http.client.HTTPConnection(HOST, port, timeout=30), []
    for number in range(count):
        body = f"userId=chat-{number}&name=a"
        connection.request("POST", "/user/getToken.json", body, headers(keys))
        found.append(json.loads(connection.getresponse().read())["token"])
    return found


def _known(user_ids: list[str]) -> int:
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        query = "SELECT count(*) FROM users_appuser WHERE user_id = ANY(%s)"
        [count] = database.execute(query, [user_ids]).fetchone() or [0]
        return int(count)
