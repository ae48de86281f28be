"""`python -m bench crossing`: clients of all protocols write to each other while users are banned
and gateway processes are killed. Messages are counted on both sides.

Environment variables: EACH (1,000 clients of each protocol), RATE (600 messages a second of all
together), SECONDS of writing (30), BANS (2 a second, each for 3 seconds) and KILL_AFTER (10
seconds, then a process is killed; and again after as many). DATABASE_URL of an empty database and
REDIS_URL replace the wheels.

A client goes on as its SDK does: it connects again, sends again what was not answered, under the
same id, and skips what it has received.
"""

import logging
import os
import random
import resource
import signal
import time
from collections import Counter, defaultdict, deque

from django.conf import settings
from django.db import connections
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.models import Plan
from bench.gateway import PROCESSES, number, registered
from bench.gateway.actor import Hands
from bench.gateway.clients import CLIENTS
from bench.gateway.swarm import Account, ChatClient, Swarm
from bench.machine import database, machine, refuse_database_in_use
from bench.stores import free_port
from rollcall.processes import Supervisor, module
from users.models import GatewayProcess, Message

PATIENCE = 60  # seconds for the last messages
AGAIN_AFTER = 3.0  # seconds until a client that is out tries again
BANNED_FOR = 3.0  # seconds
KINDS = list(CLIENTS)


class Writer:
    """One user, over all connections."""

    def __init__(self, account: Account, place: int) -> None:
        self.account, self.place = account, place
        self.client: ChatClient | None = None
        self.is_inside = False
        self.tries_at = 0.0
        self.attempts = 0
        self.written = 0
        # Messages without an answer, and those of them that this connection has sent.
        self.pending: dict[int, tuple[str, str]] = {}
        self.asked: deque[int] = deque()

    def send(self, number: int) -> None:
        assert self.client is not None  # noqa: S101
        self.asked.append(number)
        self.client.write(*self._arguments(number))

    def _arguments(self, number: int) -> tuple[str, int, str]:
        to, body = self.pending[number]
        return to, number, body


class Crowd:
    """All writers; the owner of their clients."""

    def __init__(self, swarm: Swarm, accounts: list[Account], ports: list[int]) -> None:
        self.swarm, self.ports = swarm, ports
        self.writers = {
            account.user_id: Writer(account, place) for place, account in enumerate(accounts)
        }
        self.names = list(self.writers)
        self.stored_bodies: set[str] = set()
        self.heard: Counter[str] = Counter()
        self.crossed: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.entries = 0

    # --- What clients tell ---

    def entered(self, client: ChatClient) -> None:
        writer = self.writers[client.account.user_id]
        if client is writer.client:
            self.entries += 1
            writer.is_inside = True
            for each in list(writer.pending):
                writer.send(each)

    def stored(self, client: ChatClient, problem: str) -> None:
        writer = self.writers[client.account.user_id]
        if client is not writer.client:
            return
        answered = writer.asked.popleft()
        if problem:
            self.problems[problem] += 1
        else:
            to, body = writer.pending.pop(answered)
            self.stored_bodies.add(body)
            self.crossed[f"{self.kind(writer)} to {self.kind(self.writers[to])}"] += 1

    def received(self, client: ChatClient, body: str) -> None:
        self.heard[f"{body} at {client.account.user_id}"] += 1

    def closed(self, client: ChatClient, at: float) -> None:
        client.leave()

    # --- What happens ---

    def kind(self, writer: Writer) -> str:
        return KINDS[writer.place % len(KINDS)]

    def write(self) -> None:
        """Somebody who is connected writes to anybody."""
        writer = self.writers[random.choice(self.names)]  # noqa: S311
        if writer.client is None or not writer.is_inside or writer.client.is_gone:
            return
        to = random.choice(self.names)  # noqa: S311
        if to == writer.account.user_id:
            return
        writer.written += 1
        writer.pending[writer.written] = to, f"{writer.account.user_id} {writer.written} to {to}"
        try:
            writer.send(writer.written)
        except OSError:
            writer.client.leave()

    def connect_again(self) -> None:
        now, outside = time.perf_counter(), []
        for writer in self.writers.values():
            if writer.client is not None and writer.client.is_gone:
                writer.is_inside = False
            elif writer.client is not None:
                continue
            if now >= writer.tries_at:
                outside.append(self._next_client(writer, now))
        self.swarm.connect(outside)

    def _next_client(self, writer: Writer, now: float) -> ChatClient:
        port = self.ports[(writer.place // len(KINDS) + writer.attempts) % len(self.ports)]
        made = CLIENTS[self.kind(writer)](
            self.swarm, writer.account, self, port=port, number=writer.place
        )
        if writer.client is not None:
            made.resume(writer.client)
        writer.client, writer.tries_at = made, now + AGAIN_AFTER * random.uniform(0.7, 1.3)  # noqa: S311
        writer.attempts += 1
        writer.asked.clear()
        return made

    @property
    def inside(self) -> int:
        return sum(each.is_inside for each in self.writers.values())

    @property
    def is_quiet(self) -> bool:
        """Everything that was written is stored, and received."""
        return len(self.heard) >= len(self.stored_bodies) and not any(
            each.pending for each in self.writers.values()
        )


class Trouble:
    """Bans users and lifts the bans, and kills gateway processes."""

    def __init__(self, crowd: Crowd, hands: Hands, supervisor: Supervisor) -> None:
        self._crowd, self._hands, self._supervisor = crowd, hands, supervisor
        self._orders: deque[tuple[str, str]] = deque()
        self._is_busy = False
        self._lifts: deque[tuple[float, str]] = deque()
        self.bans = 0
        self._killed: set[int] = set()

    def ban(self, now: float) -> None:
        user_id = random.choice(self._crowd.names)  # noqa: S311
        self.bans += 1
        self._orders.append(("ban", user_id))
        self._lifts.append((now + BANNED_FOR, user_id))

    def kill(self) -> None:
        """The process that has run longest, once all are back."""
        pids = [int(each.name.split(":")[1]) for each in GatewayProcess.objects.order_by("pk")]
        connections.close_all()
        left = [pid for pid in pids if pid not in self._killed]
        if len(left) == PROCESSES:
            self._killed.add(left[0])
            os.kill(left[0], signal.SIGKILL)

    def go_on(self, now: float) -> None:
        self._supervisor.running()  # which restarts what was killed
        while self._lifts and self._lifts[0][0] <= now:
            self._orders.append(("lift", self._lifts.popleft()[1]))
        if self._is_busy and self._hands.answers.poll():
            self._hands.answers.recv()
            self._is_busy = False
        if self._orders and not self._is_busy:
            self._hands.tell(*self._orders.popleft())
            self._is_busy = True

    @property
    def kills(self) -> int:
        return len(self._killed)

    @property
    def is_over(self) -> bool:
        return not (self._orders or self._lifts or self._is_busy)


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    refuse_database_in_use()
    print(machine(), f"{database()}.", flush=True)
    logging.disable(logging.INFO)  # of this process
    environment = environments.create_application(
        name="Bench crossing", plan=Plan.PRO, by=Actor.system("bench"), now=timezone.now()
    ).environments["production"]
    accounts = registered(environment, number("EACH", 1_000) * len(KINDS))
    connections.close_all()
    swarm = Swarm()
    with Supervisor(say=lambda _: None) as supervisor, Hands(environment) as hands:
        ports = [free_port() for _ in range(PROCESSES)]
        for port in ports:
            variables = {"GATEWAY_PORT": str(port), "GATEWAY_CONNECT_BURST": "100000"}
            supervisor.start(
                module(f"gateway {port}", "gateway", variables),
                log=settings.DATA_DIR / f"gateway-{port}.log",
            )
        while supervisor.running() and GatewayProcess.objects.count() < PROCESSES:
            time.sleep(0.1)
        crowd = Crowd(swarm, accounts, ports)
        trouble = Trouble(crowd, hands, supervisor)
        talk(swarm, crowd, trouble)
        report(crowd, trouble)


def talk(swarm: Swarm, crowd: Crowd, trouble: Trouble) -> None:
    rate, bans = number("RATE", 600), number("BANS", 2)
    due: dict[str, float] = defaultdict(float)

    def is_due(what: str, every: float, now: float) -> bool:
        if now < due[what]:
            return False
        due[what] = max(now, due[what] + every)
        return True

    def go_on(*, calm: bool) -> float:
        now = time.perf_counter()
        if is_due("connect", 0.2, now):
            crowd.connect_again()
        trouble.go_on(now)
        if not calm:
            while now >= due["write"]:
                due["write"] = max(now - 1, due["write"]) + 1 / rate
                crowd.write()
            if is_due("ban", 1 / bans, now):
                trouble.ban(now)
            if is_due("kill", number("KILL_AFTER", 10), now):
                trouble.kill()
        return 0.002

    everybody = len(crowd.writers)
    if not swarm.run(lambda: crowd.inside == everybody, within=60, work=lambda: go_on(calm=True)):
        raise SystemExit(f"Only {crowd.inside} of {everybody} are connected.")
    began = time.perf_counter()
    due["kill"] = began + number("KILL_AFTER", 10)
    ends = began + number("SECONDS", 30)
    swarm.run(
        lambda: time.perf_counter() > ends,
        within=number("SECONDS", 30) + 5,
        work=lambda: go_on(calm=False),
    )
    swarm.run(
        lambda: trouble.is_over and crowd.inside == everybody and crowd.is_quiet,
        within=PATIENCE,
        work=lambda: go_on(calm=True),
    )
    # Time for what comes twice.
    swarm.run(lambda: False, within=3, work=lambda: go_on(calm=True))


def report(crowd: Crowd, trouble: Trouble) -> None:
    written = sum(each.written for each in crowd.writers.values())
    heard = {place.rpartition(" at ")[0] for place in crowd.heard}
    lost = crowd.stored_bodies - heard
    twice = sum(count > 1 for count in crowd.heard.values())
    wrong = sum(place.split()[3] != place.rpartition(" at ")[2] for place in crowd.heard)
    waiting = Message.objects.filter(delivered_at=None).count()
    print(
        f"{len(crowd.writers):,} clients, {crowd.inside:,} connected at the end; "
        f"{trouble.bans} bans, {trouble.kills} processes killed, {crowd.entries:,} admissions\n"
        f"{written:,} written, {len(crowd.stored_bodies):,} acknowledged to their senders, "
        f"{Message.objects.count():,} stored, {len(heard):,} received, {waiting:,} still waiting\n"
        f"acknowledged and lost: {len(lost)}; received twice: {twice}; by somebody else: {wrong}"
    )
    for name, count in sorted(crowd.crossed.items()):
        print(f"  {name}: {count:,}")
    if crowd.problems:
        print("  refused, and sent again:", dict(crowd.problems))
    for each in sorted(lost)[:3]:
        print("  lost:", each)
