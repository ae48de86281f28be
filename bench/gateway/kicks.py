"""How soon a client is disconnected: from the call, and from its commit, to the close frame."""

import random
import time

from bench.gateway.actor import Hands
from bench.gateway.admission import PATIENCE, Guests
from bench.gateway.costs import percentiles
from bench.gateway.swarm import Swarm

PAUSE = 0.005  # seconds between two kicks


def kick_some(swarm: Swarm, guests: Guests, hands: Hands, count: int) -> None:
    """Kick random clients one by one."""
    since_call, since_commit = [], []
    for user_id in random.sample(sorted(guests.inside), min(len(guests.inside) // 2, count)):
        hands.tell("kick", user_id)
        if not swarm.run(lambda user_id=user_id: user_id in guests.closed_at, within=PATIENCE):
            raise SystemExit(f"{user_id} is not disconnected")
        called, committed = hands.answers.recv()
        at = guests.closed_at[user_id]
        since_call.append(at - called)
        since_commit.append(at - committed)
        pause_ends = time.perf_counter() + PAUSE
        swarm.run(lambda ends=pause_ends: time.perf_counter() > ends, within=1, work=lambda: PAUSE)
    print(f"kick         since the call    {percentiles(since_call)}")
    print(f"             since its commit  {percentiles(since_commit)}", flush=True)


def kick_everybody(swarm: Swarm, guests: Guests, hands: Hands) -> None:
    """Revoke all tokens, which closes all connections."""
    left = len(guests.inside) - len(guests.closed_at)
    hands.tell("revoke all")
    if not swarm.run(lambda: len(guests.closed_at) == len(guests.inside), within=PATIENCE):
        raise SystemExit("Not everybody is disconnected")
    began = hands.answers.recv()
    took = max(guests.closed_at.values()) - began
    print(f"revoke all   {left:,} disconnected in {took:.1f} s", flush=True)
