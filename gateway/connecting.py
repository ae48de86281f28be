"""What a client says of itself before it is admitted."""

from dataclasses import dataclass

from users.tokens import Claims


@dataclass(frozen=True, slots=True)
class Handshake:
    """The HTTP request that opened the WebSocket. `query` may contain a token: never log it."""

    query: str
    address: str | None


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """Who wants to connect, with what. `device` and `platform` are the client's own words, at most
    64 and 32 characters of text. `after` acknowledges the user's messages up to this one. `seat`:
    the user's earlier connections with the same one are closed; "": none. A protocol whose tokens
    are not only ours checks them itself and gives the `claims`.
    """

    app_key: str
    token: str = ""
    claims: Claims | None = None
    device: str = ""
    platform: str = ""
    after: int = 0
    seat: str = ""
