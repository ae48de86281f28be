"""The client's address of a connection, for HTTP and for the gateway's WebSockets.

Only the entries of `X-Forwarded-For` that our own proxies wrote (`TRUSTED_PROXIES`) are trusted: a
caller can forge those further left.
"""

import ipaddress
import re
from functools import lru_cache

# Some proxies add the port: `192.0.2.1:5678`, `[2001:db8::1]:5678`.
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+):\d+", re.ASCII)


def client_address(*, peer: str | None, forwarded_for: str, trusted_proxies: int) -> str | None:
    """The client's IP address, without port or zone; None if it is not known.

    `peer` is the other end of the socket; `forwarded_for` the header's values, joined by commas.
    """
    if trusted_proxies:
        hops = [hop.strip() for hop in forwarded_for.split(",")]
        if len(hops) >= trusted_proxies and hops[-trusted_proxies]:
            return _parsed(hops[-trusted_proxies])
    return _parsed(peer or "")


# App servers are few, and each calls often.
@lru_cache(maxsize=1024)
def _parsed(text: str) -> str | None:
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"] or ""
    try:
        # A zone names an interface of one machine; PostgreSQL's `inet` cannot store it.
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
