"""`python -m rollcall.web`: `WEB_WORKERS` processes on one port.

A process that dies is replaced, and its connections to come wait for that. If one dies as soon as
it starts, all end, and the supervisor tries again later.
"""

import argparse
import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from multiprocessing.connection import wait
from threading import Event
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from rollcall.web.server import Application, Server
from transfers import files

STEADY = 5.0  # seconds after which a process counts as up
STOP_WITHIN = 6.0  # seconds; less than the supervisor's `GRACE`
BACKLOG = 4096  # connections that wait to be accepted; the kernel has a limit of its own
# Of a process, if the limit of open files allows that many.
MAX_CONNECTIONS = 20_000
OTHER_FILES = 200

_fork = multiprocessing.get_context("fork")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    parser = argparse.ArgumentParser()
    parser.add_argument("--application", default="rollcall.wsgi.application")
    parser.add_argument("--port", type=int, default=settings.PORT)
    arguments = parser.parse_args()
    application = import_string(arguments.application)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # The kernel spreads connections over these; those of a process that dies wait for the next one.
    listeners = [_listen(settings.HOST, arguments.port) for _ in range(settings.WEB_WORKERS)]
    stop = _stop_event()
    running: dict[socket.socket, tuple[Any, float]] = {}  # process, and since when
    status = 0
    while not (stop.is_set() or status):
        for listener in listeners:
            if listener not in running:
                process = _fork.Process(target=_serve, args=(application, listener, listeners))
                process.start()
                running[listener] = process, time.monotonic()
        wait([process.sentinel for process, _ in running.values()], timeout=0.5)
        for listener, (process, since) in list(running.items()):
            if not process.is_alive():
                del running[listener]
                status = int(time.monotonic() - since < STEADY)
    for listener in listeners:
        listener.close()
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        process.join(STOP_WITHIN)
    sys.exit(status)


def _serve(
    application: Application, listener: socket.socket, listeners: list[socket.socket]
) -> None:
    """Run one process until SIGTERM."""
    stop = _stop_event()
    for other in listeners:
        if other is not listener:
            other.close()
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = Server(
        application,
        listener,
        threads=settings.WEB_THREADS,
        # Django refuses what is longer than it takes; a file to import may be longer.
        max_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + files.MOST_BYTES,
        max_connections=max(1, min(MAX_CONNECTIONS, most - OTHER_FILES)),
    )
    server.start()
    while not stop.wait(1.0):
        server.end_late()
    server.stop(within=STOP_WITHIN - 1)


def _stop_event() -> Event:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return stop


def _listen(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address[:2], family=family, backlog=BACKLOG, reuse_port=True)


if __name__ == "__main__":
    main()
