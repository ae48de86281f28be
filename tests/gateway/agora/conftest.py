import pytest

from tests.gateway.agora.clients import MSyncClient


@pytest.fixture
def msync(gateway):
    """Opens clients that speak MSync."""
    opened = []

    def open():
        opened.append(MSyncClient(gateway.url))
        return opened[-1]

    yield open
    for client in opened:
        client.leave()
