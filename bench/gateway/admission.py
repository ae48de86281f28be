"""How fast clients are let in who all come at once, and what they need while they are idle."""

import time

from bench.gateway.actor import Hands
from bench.gateway.costs import Costs, percentiles
from bench.gateway.swarm import Account, ChatClient, Swarm

GIB = 2**30
PATIENCE = 120  # seconds
SETTLED = 3  # seconds until an admitted client is idle


class Guests:
    """Those who are let in. Who is thrown out later is told to `leaving`."""

    def __init__(self) -> None:
        self.inside: dict[str, ChatClient] = {}
        self.closed_at: dict[str, float] = {}

    def entered(self, client: ChatClient) -> None:
        self.inside[client.account.user_id] = client

    def stored(self, client: ChatClient, problem: str) -> None: ...

    def received(self, client: ChatClient, body: str) -> None: ...

    def closed(self, client: ChatClient, at: float) -> None:
        user_id = client.account.user_id
        if user_id not in self.inside:
            raise SystemExit(f"The gateway refuses {user_id}")
        self.closed_at[user_id] = at
        client.leave()


def let_in(
    swarm: Swarm,
    protocol: type[ChatClient],
    accounts: list[Account],
    ports: list[int],
    costs: Costs,
    hands: Hands,
) -> Guests:
    """Connect all clients at once, which then stay idle. Meanwhile somebody is banned and unbanned,
    again and again.
    """
    guests, count = Guests(), len(accounts)
    clients = [
        protocol(swarm, account, guests, port=ports[number % len(ports)], number=number)
        for number, account in enumerate(accounts)
    ]
    memory, spent = costs.memory(), costs.spent()
    hands.tell("ban and lift")
    began = time.perf_counter()
    swarm.connect(clients)
    if not swarm.run(lambda: len(guests.inside) == count, within=PATIENCE):
        raise SystemExit(f"{count - len(guests.inside):,} clients are not let in")
    took = time.perf_counter() - began
    hands.tell("stop")
    cost = costs.spent() - spent
    print(
        f"let in       {count:,} who come at once, by {len(ports)} processes, in {took:.1f} s: "
        f"{count / took:,.0f} a second. {cost.per(count)}"
    )
    print(f"             ban and lift meanwhile: {percentiles(hands.answers.recv())}")
    swarm.run(lambda: False, within=SETTLED)
    each = (costs.memory() - memory) / count
    print(
        f"idle         {each / 1024:.1f} KiB each, {GIB / each:,.0f} in a GiB; "
        f"{memory / 2**20 / len(ports):.0f} MiB for a process without any (PSS)",
        flush=True,
    )
    return guests
