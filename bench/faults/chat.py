"""500 chat clients of all protocols who write to each other, in a thread of their own.

As in `bench.crossing`, a client connects again when it is out, and sends again, under the same id,
what was not answered.
"""

import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

from bench.crossing import Crowd, Writer
from bench.faults import place
from bench.faults.ledger import Ledger
from bench.gateway import number
from bench.gateway.swarm import Account, ChatClient, Swarm

RATE = number("RATE", 50)  # messages a second
AGAIN = 1.0  # seconds until a refused message is sent again
# Seconds in which a gateway that is cut off from its stores closes the sockets of the banned.
LEASE = 15.0
UNANSWERED = 10.0  # seconds after which a client gives up a connection that does not let it in


class Chat(Crowd):
    """The clients; `with Chat(...)` they talk."""

    def __init__(self, accounts: list[Account], ledger: Ledger) -> None:
        super().__init__(Swarm(), accounts, [place.GATEWAY_PORT])
        self._ledger = ledger
        self._began: dict[ChatClient, float] = {}
        self._again: deque[tuple[float, ChatClient, int]] = deque()
        self.acknowledged: dict[str, float] = {}
        self.kicked: list[tuple[float, ChatClient]] = []
        # When each message came, and over which connection of its reader.
        self.came: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self._connections: dict[ChatClient, int] = {}
        self.is_calm = self._is_over = False
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def __enter__(self) -> "Chat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()

    def somebody(self) -> tuple[str, ChatClient | None]:
        """A user who is connected, and the connection."""
        writer = self.writers[random.choice(self.names)]  # noqa: S311
        return writer.account.user_id, writer.client if writer.is_inside else None

    def story(self, body: str) -> str:
        """How a message came: the protocol of its reader, and when over which connection."""
        kind = self.kind(self.writers[body.split()[3]])
        first = self.acknowledged.get(body, self.came[body][0][0])
        times = [f"{at - first:+.1f} s over connection {which}" for at, which in self.came[body]]
        return f"{body} ({kind}): {', '.join(times)}"

    # --- What clients tell ---

    def entered(self, client: ChatClient) -> None:
        super().entered(client)
        banned_at = self._ledger.banned.get(client.account.user_id)
        if banned_at is not None and self._began.get(client, 0.0) > banned_at:
            self._let_in(f"{client.account.user_id} was banned, and let in")

    def received(self, client: ChatClient, body: str) -> None:
        super().received(client, body)
        writer = self.writers[client.account.user_id]
        self.came[body].append((time.monotonic(), self._connections[client]))
        if client is not writer.client:
            self._let_in(f"{body} came over a connection that was left")

    def stored(self, client: ChatClient, problem: str) -> None:
        writer = self.writers[client.account.user_id]
        if client is not writer.client:
            return
        number = writer.asked[0]
        _, body = writer.pending[number]
        super().stored(client, problem)
        now = time.monotonic()
        if problem:
            self._again.append((now + AGAIN, client, number))
            return
        self.acknowledged[body] = now
        banned_at = self._ledger.banned.get(client.account.user_id, now)
        if now - banned_at > LEASE:
            self._let_in(f"{client.account.user_id} was banned, and wrote")

    def _let_in(self, what: str) -> None:
        self._ledger.let_in.append((time.monotonic(), what))

    # --- What they do ---

    def _next_client(self, writer: Writer, now: float) -> ChatClient:
        made = super()._next_client(writer, now)
        self._began[made] = time.monotonic()
        self._connections[made] = writer.attempts
        return made

    def _talk(self) -> None:
        try:
            self.swarm.run(lambda: self._is_over, within=1e9, work=self._work(time.monotonic()))
        except SystemExit as refused:  # which would end this thread without a word
            raise RuntimeError(str(refused)) from refused

    def _work(self, began: float) -> Callable[[], float]:
        due = {"connect": began, "write": began}

        def work() -> float:
            now = time.monotonic()
            if now >= due["connect"]:
                due["connect"] = now + 0.2
                self._give_up(now)
                self.connect_again()
            while self._again and self._again[0][0] <= now:
                self._send_again(*self._again.popleft()[1:])
            while now >= due["write"]:
                due["write"] = max(now - 1, due["write"]) + 1 / RATE
                if not self.is_calm:
                    self.write()
            return 0.005

        return work

    def _give_up(self, now: float) -> None:
        for writer in self.writers.values():
            client = writer.client
            if client is None or client.is_gone or writer.is_inside:
                continue
            if now - self._began[client] > UNANSWERED:
                client.leave()

    def _send_again(self, client: ChatClient, number: int) -> None:
        writer = self.writers[client.account.user_id]
        if client is writer.client and not client.is_gone and number in writer.pending:
            try:
                writer.send(number)
            except OSError:
                client.leave()
