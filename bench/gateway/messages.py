"""Messages at a steady pace, counted on both sides."""

import time
from collections import Counter
from itertools import pairwise

from bench.gateway.costs import Costs, percentiles
from bench.gateway.swarm import Account, ChatClient, Swarm

PATIENCE = 20  # seconds for the last messages


class Correspondence:
    """Each writes numbered messages to the next one in a circle, who is at the other process."""

    def __init__(self, accounts: list[Account]) -> None:
        names = [account.user_id for account in accounts]
        self.next = dict([*pairwise(names), (names[-1], names[0])])
        self.inside = 0
        self.sent_at: dict[str, float] = {}  # of messages that have not been received
        self.written: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()  # the number of the last message of each writer
        self.kept = self.arrived = 0
        self.took: list[float] = []
        self.problems: list[str] = []

    def entered(self, client: ChatClient) -> None:
        self.inside += 1

    def write(self, client: ChatClient) -> None:
        name = client.account.user_id
        self.written[name] += 1
        body = f"{name} {self.written[name]}"
        self.sent_at[body] = time.perf_counter()
        client.write(self.next[name], self.written[name], body)

    def stored(self, client: ChatClient, problem: str) -> None:
        if problem:
            self.problems.append(f"{client.account.user_id}: {problem}")
        else:
            self.kept += 1

    def received(self, client: ChatClient, body: str) -> None:
        self.arrived += 1
        sender, _, number = body.partition(" ")
        self.heard[sender] += 1
        if self.next[sender] != client.account.user_id or self.heard[sender] != int(number):
            self.problems.append(f"{body!r} at {client.account.user_id}: lost, twice or unordered")
        if (written := self.sent_at.pop(body, None)) is not None:
            self.took.append(time.perf_counter() - written)

    def closed(self, client: ChatClient, at: float) -> None:
        self.problems.append(f"{client.account.user_id} was disconnected")
        client.leave()

    @property
    def is_complete(self) -> bool:
        return not self.sent_at and self.kept == self.written.total()


def write_to_each_other(
    swarm: Swarm,
    protocol: type[ChatClient],
    accounts: list[Account],
    ports: list[int],
    costs: Costs,
    *,
    rate: int,
    seconds: int,
) -> None:
    """`rate` is in messages a second of all together."""
    letters = Correspondence(accounts)
    clients = [
        protocol(swarm, account, letters, port=ports[number % len(ports)], number=number)
        for number, account in enumerate(accounts)
    ]
    swarm.connect(clients)
    swarm.run(lambda: letters.inside == len(clients), within=PATIENCE)
    swarm.run(lambda: False, within=1)
    spent = costs.spent()
    began, count = time.perf_counter(), rate * seconds

    def write_what_is_due() -> float:
        due = min(count, int((time.perf_counter() - began) * rate))
        for number in range(letters.written.total(), due):
            letters.write(clients[number % len(clients)])
        return 1 / rate if due < count else 1.0

    swarm.run(
        lambda: letters.written.total() == count and letters.is_complete,
        within=seconds + PATIENCE,
        work=write_what_is_due,
    )
    took = time.perf_counter() - began
    swarm.run(lambda: False, within=1)  # the last acknowledgements
    cost = costs.spent() - spent
    print(
        f"messages     {letters.arrived / took:,.0f} a second of {len(clients):,} connections, "
        f"stored, given out and acknowledged. {cost.per(letters.arrived or 1)}"
    )
    print(f"             until received: {percentiles(letters.took)}")
    print(
        f"             {count:,} sent, {letters.kept:,} stored, {letters.arrived:,} received, "
        f"{len(letters.problems)} problems",
        *letters.problems[:3],
        flush=True,
    )
    for client in clients:
        client.leave()
