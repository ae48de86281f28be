"""`manage.py serve` on stores of the test's choice, with its app servers and chat clients."""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import closing
from pathlib import Path

from django.conf import settings

from tests.gateway.live import Client
from tests.waiting import PATIENCE, eventually

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        return free.getsockname()[1]


class Serving:
    """Everything that production starts, and an application in it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.port, self.gateway_port = folder, free_port(), free_port()
        self._environment = os.environ | {
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "GATEWAY_PORT": str(self.gateway_port),
            "WEB_WORKERS": "1",
            "GATEWAY_CONNECT_BURST": "1000",
            "API_RATE_LIMITS": "false",
            "SWEEP_SECONDS": "1",
            **environment,
        }
        self._log_file = folder / "log"

    @property
    def log(self) -> str:
        return self._log_file.read_text()

    def manage(self, *words: str) -> str:
        with self._log_file.open("ab") as log:
            return subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=settings.BASE_DIR,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=True,
            ).stdout

    def start(self) -> "Serving":
        made = json.loads(self.manage("create_application", "Shop", "--plan=pro", "--json"))
        self.keys = made["environments"]["production"]
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=settings.BASE_DIR,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        assert eventually(self.is_ready), self.log
        return self

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def pid(self, name: str) -> int:
        found = json.loads((self.folder / "processes.json").read_text())["processes"]
        return next(each["pid"] for each in found if each["name"] == name)

    def readiness(self) -> dict:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", "/readyz")
            return json.loads(connection.getresponse().read())

    def is_ready(self) -> bool:
        try:
            return self.readiness()["ready"]
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def call(self, path: str, **parameters: str) -> tuple[int, dict]:
        """A call of an app server, by RongCloud's protocol. Raises `OSError`."""
        signature = hashlib.sha1(f"{self.keys['app_secret']}12".encode()).hexdigest()
        headers = {
            "App-Key": self.keys["app_key"],
            "Nonce": "1",
            "Timestamp": "2",
            "Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.request("POST", path, urllib.parse.urlencode(parameters), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def register(self, user_id: str) -> str:
        """The user's token. Raises `OSError` if the call was not acknowledged."""
        status, answer = self.call("/user/getToken.json", userId=user_id, name=user_id)
        if status != 200:
            raise OSError(str(answer))
        return str(answer["token"])

    def ban(self, user_id: str) -> bool:
        try:
            return self.call("/user/block.json", userId=user_id, minute="60")[0] == 200
        except OSError:
            return False

    def connect(self, token: str) -> Client:
        client = Client(f"ws://{HOST}:{self.gateway_port}")
        client.say({"app_key": self.keys["app_key"], "token": token})
        first = client.hear()
        assert first["event"] == "connected", first
        return client


class Registrars:
    """Threads that register one user after the other, and keep whom they were acknowledged."""

    def __init__(self, serving: Serving, threads: int = 8) -> None:
        self._serving, self._is_over = serving, False
        self.acknowledged: list[str] = []
        self.last_refused = 0.0
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self, number: int) -> None:
        turn = 0
        while not self._is_over:
            turn += 1
            try:
                self._serving.register(f"user-{number}-{turn}")
            except OSError:
                self.last_refused = time.monotonic()
            else:
                self.acknowledged.append(f"user-{number}-{turn}")

    def more(self, count: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        assert eventually(lambda: len(self.acknowledged) >= wanted), self._serving.log[-4000:]

    def stop(self) -> None:
        self._is_over = True
        for thread in self._threads:
            thread.join()
