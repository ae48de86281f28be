"""A load generator: `python -m bench.load`, with a `Load` as JSON on its standard input.

One process, one thread, plain sockets: each client sends its next request as soon as it has the
response to the last one. `busy` is the generator's own load: if it is near 1, the figures measure
the generator and not the server.
"""

import json
import random
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count

WARM_UP = 0.5  # seconds, not counted
CHUNKED = -1


@dataclass(frozen=True)
class Load:
    """`requests` are complete HTTP requests with at most one `%d`. A client sends them in turn, all
    with the same number: a random one between `numbers`, or a new one if `numbers` is None.
    """

    host: str
    port: int
    clients: int
    seconds: float
    requests: Sequence[str]
    numbers: tuple[int, int] | None = None


@dataclass(frozen=True)
class Measured:
    calls: int  # all responses, warm-up included
    per_second: float
    p50: float  # milliseconds
    p99: float
    busy: float  # share of a core that the generator used
    refused: Sequence[str]  # first lines of responses other than 2xx


class Client:
    """One connection. All clients share `numbers`."""

    def __init__(self, load: Load, numbers: "Numbers") -> None:
        self.socket = socket.create_connection((load.host, load.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = [request.encode() for request in load.requests]
        self._numbers = numbers
        self._turn = -1
        self._number = 0
        self._length = 0  # of the expected response, once it is known
        self._received = b""
        self.sent_at = 0.0

    def send(self) -> None:
        self._turn = (self._turn + 1) % len(self._requests)
        if self._turn == 0:
            self._number = self._numbers.next()
        request = self._requests[self._turn]
        self._received, self._length = b"", 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request % self._number if b"%d" in request else request)

    def receive(self) -> bytes | None:
        """The first bytes of the response, once it is complete."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise SystemExit("The server has closed a connection")
        self._received = self._received + part if self._received else part
        if not self._length:
            head, found, _ = self._received.partition(b"\r\n\r\n")
            if not found:
                return None
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            self._length = len(head) + 4 + int(length) if length else CHUNKED
        if self._length == CHUNKED:
            is_complete = self._received.endswith(b"\r\n0\r\n\r\n")
        else:
            is_complete = len(self._received) >= self._length
        return self._received[:200] if is_complete else None


class Numbers:
    def __init__(self, bounds: tuple[int, int] | None) -> None:
        self._bounds = bounds
        self._fresh = count(time.time_ns() // 1000)

    def next(self) -> int:
        return random.randint(*self._bounds) if self._bounds else next(self._fresh)  # noqa: S311


def run(load: Load) -> Measured:
    numbers = Numbers(load.numbers)
    poll = select.epoll()
    clients = {client.socket.fileno(): client for client in _connected(load, numbers)}
    for descriptor, client in clients.items():
        poll.register(descriptor, select.EPOLLIN)
        client.send()
    begins = time.perf_counter() + WARM_UP
    ends = begins + load.seconds
    worked_before: float | None = None
    latencies: list[float] = []
    refused: list[str] = []
    answered = 0
    while (now := time.perf_counter()) < ends:
        if worked_before is None and now >= begins:
            worked_before = time.process_time()
        for descriptor, _ in poll.poll(ends - now):
            client = clients[descriptor]
            answer = client.receive()
            if answer is None:
                continue
            answered += 1
            if client.sent_at >= begins:
                latencies.append(time.perf_counter() - client.sent_at)
            if not answer.startswith(b"HTTP/1.1 2"):
                refused.append(answer.decode(errors="replace").split("\r\n", 1)[0])
            client.send()
    worked = time.process_time() - (worked_before or 0)
    latencies.sort()
    return Measured(
        calls=answered,
        per_second=len(latencies) / load.seconds,
        p50=1000 * latencies[len(latencies) // 2] if latencies else 0,
        p99=1000 * latencies[len(latencies) * 99 // 100] if latencies else 0,
        busy=worked / load.seconds,
        refused=refused[:5],
    )


def _connected(load: Load, numbers: Numbers) -> list[Client]:
    return [Client(load, numbers) for _ in range(load.clients)]


def run_in_process(load: Load) -> Measured:
    """`run` in a separate process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(run(Load(**json.load(sys.stdin))))))
