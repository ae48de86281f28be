"""`python -m bench slow`: an ordinary client while others send half a request and stop.

Web and gateway of `manage.py serve`, each with CLIENTS (1,100) half-sent heads, half-sent bodies,
bodies that drip a byte every half second, and connections that say nothing; each for SECONDS (25).
A client that the server ends comes back at once.
"""

import http.client
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from rollcall.processes import Supervisor, module

HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
KINDS = {
    "half a head": HEAD + "X-Half: ",
    "half a body": HEAD + "Content-Length: 1000\r\n\r\nhalf",
    "a dripping body": HEAD + "Content-Length: 1000\r\n\r\nhalf",
    "nothing": "",
}


class Crowd:
    """Slow clients of one kind."""

    def __init__(self, port: int, kind: str, path: str, clients: int) -> None:
        self._port, self._drips = port, kind == "a dripping body"
        self._text = KINDS[kind].format(path=path).encode()
        self._since: dict[socket.socket, float] = {}
        self.lasted: list[float] = []  # seconds, of those that the server has ended
        for _ in range(clients):
            self._come()

    def _come(self) -> None:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        client.sendall(self._text)
        self._since[client] = time.monotonic()

    def go_on(self) -> None:
        poll = select.poll()
        clients = {client.fileno(): client for client in self._since}
        for fd in clients:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(0):
            client = clients[fd]
            self.lasted.append(time.monotonic() - self._since.pop(client))
            client.close()
            self._come()
        for client in self._since if self._drips else ():
            with suppress(OSError):  # just ended
                client.send(b"x")

    def leave(self) -> None:
        for client in self._since:
            client.close()


def ordinary(port: int, path: str, is_over: Callable[[], bool], took: list[float]) -> None:
    """Ask again and again, on a new connection each time; a failure counts as 10 s."""
    while not is_over():
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
            took.append(time.monotonic() - began)
        except OSError:
            took.append(10.0)
        connection.close()
        time.sleep(0.02)


def measure(port: int, kind: str, path: str, *, clients: int, seconds: float) -> str:
    crowd, took, end = Crowd(port, kind, path, clients), list[float](), time.monotonic() + seconds
    thread = threading.Thread(
        target=ordinary, args=(port, path, lambda: time.monotonic() > end, took)
    )
    thread.start()
    while thread.is_alive():
        time.sleep(0.5)
        crowd.go_on()
    crowd.leave()
    took.sort()
    at = {share: took[int(len(took) * share)] * 1000 for share in (0.5, 0.99)}
    ended = f"{min(crowd.lasted):.0f} to {max(crowd.lasted):.0f} s" if crowd.lasted else "not ended"
    return f"{len(took):>8}{at[0.5]:>8.1f}{at[0.99]:>8.1f}{took[-1] * 1000:>9.1f}   {ended}"


def main() -> None:
    clients = int(os.environ.get("CLIENTS", "1100"))
    seconds = float(os.environ.get("SECONDS", "25"))
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
    call_command("check", tags=["settings"])
    folder = Path(settings.DATA_DIR) / "bench"
    folder.mkdir()
    limits = {"GATEWAY_CONNECT_BURST": "100000", "GATEWAY_CONNECT_RATE": "100000"}
    with Supervisor(folder=folder) as supervisor:
        serve = module("serve", "manage serve", limits)
        supervisor.start(serve, log=settings.DATA_DIR / "serve.log")
        if supervisor.wait_for_page(settings.HOST, settings.PORT) is None:
            return
        print(
            f"{clients:,} slow clients{'':<12}{'calls':>8}{'p50 ms':>8}{'p99 ms':>8}{'worst ms':>9}"
        )
        for name, port, path in (
            ("web", settings.PORT, "/healthz"),
            ("gateway", settings.GATEWAY_PORT, "/ping"),
        ):
            for kind in KINDS:
                row = measure(port, kind, path, clients=clients, seconds=seconds)
                print(f"{name:<9}{kind:<21}{row}")
