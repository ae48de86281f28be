"""A gateway process that ends: its clients are told one after the other."""

import itertools
from types import SimpleNamespace

import pytest

from gateway.server import ClientSocket
from gateway.websocket import WebSocket


class Loop:
    def __init__(self):
        self.later = []

    def call_later(self, delay, callback):
        self.later.append((delay, callback))


@pytest.mark.parametrize(("clients", "seconds"), [(1, 0.005), (400, 2), (100_000, 4)])
def test_clients_are_told_at_random_moments_within_the_time(settings, clients, seconds):
    settings.GATEWAY_DRAIN_SECONDS = 4
    loop = Loop()
    one = object.__new__(ClientSocket)
    one._loop, one._server_state = loop, SimpleNamespace(connections=range(clients))
    for _ in range(1000):
        one.shutdown()
    moments = sorted(delay for delay, _ in loop.later)
    assert 0 <= moments[0] < moments[-1] <= seconds
    assert max(b - a for a, b in itertools.pairwise(moments)) < seconds / 20
    _, callback = loop.later[0]
    assert callback.__func__ is WebSocket.shutdown
